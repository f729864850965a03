#include "server/models/engine_worker.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "server/api_error.h"

namespace unroll {

EngineWorker::EngineWorker(Model model, const EngineOptions& options, std::size_t waiting, double seconds)
    : model_(std::move(model)),
      options_(options),
      engine_(model_, options),
      seconds_(seconds),
      queue_(waiting),
      thread_([this] { run(); }) {}

EngineWorker::~EngineWorker() {
  stopping_ = true;
  queue_.close();
  thread_.join();
}

EngineLoad EngineWorker::load() const {
  const std::lock_guard lock(load_mutex_);
  return load_;
}

void EngineWorker::run() {
  while (take()) {
    try {
      step();
    } catch (const std::exception&) {
      begin_anew();
    }
    drop_ended();
    const std::lock_guard lock(load_mutex_);
    load_ = engine_.load();
  }
  finished_ = true;
}

// After a failure that is of no single text, such as a lack of memory: what was in progress is lost.
void EngineWorker::begin_anew() {
  for (const std::unique_ptr<Completion>& completion : running_) {
    completion->fail(ApiError(500, "the server failed while it wrote this text", {}, "engine_failed"));
  }
  places_.clear();
  running_.clear();
  engine_ = Engine(model_, options_);
}

// Takes new requests while there are places; waits for one where there is nothing to do. False at the end.
bool EngineWorker::take() {
  while (!stopping_) {
    const EngineLoad load = engine_.load();
    if (load.waiting > 0 || load.reading + load.writing >= options_.texts) break;
    const bool idle = engine_.idle();
    std::optional<std::unique_ptr<Completion>> next = idle ? queue_.wait() : queue_.poll();
    if (!next && idle) return false;
    if (!next) break;
    start(std::move(*next));
  }
  if (stopping_) {
    for (const std::unique_ptr<Completion>& completion : running_) completion->fail(is_stopping());
    while (std::optional<std::unique_ptr<Completion>> next = queue_.poll()) (*next)->fail(is_stopping());
  }
  return !stopping_;
}

void EngineWorker::start(std::unique_ptr<Completion> completion) {
  if (completion->call().gone()) return completion->call().give_up();
  Completion* const started = running_.emplace_back(std::move(completion)).get();
  try {
    for (std::size_t t = 0; t < started->texts(); ++t) places_[engine_.add(started->text(t))] = {started, t};
  } catch (const Error& error) {
    started->fail(ApiError(error));
  }
}

// Gives up what nobody reads, what takes too long, and what has failed.
void EngineWorker::drop_ended() {
  for (const std::unique_ptr<Completion>& completion : running_) {
    if (completion->call().gone()) completion->call().give_up();
    if (completion->call().seconds() > seconds_) completion->fail(takes_too_long(seconds_));
  }
  std::erase_if(places_, [this](const auto& place) {
    if (!place.second.completion->ended()) return false;
    engine_.remove(place.first);
    return true;
  });
  std::erase_if(running_, [](const std::unique_ptr<Completion>& completion) { return completion->ended(); });
}

void EngineWorker::step() {
  if (engine_.idle()) return;
  for (const TextEvent& event : engine_.step()) {
    const auto found = places_.find(event.text);
    if (found == places_.end()) continue;
    const Place place = found->second;
    if (event.finish || event.error) places_.erase(found);
    place.completion->take(place.text, event);
  }
}

}  // namespace unroll
