#include "unroll/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "infer/condition.h"
#include "infer/inference.h"
#include "serve/prompt_reader.h"
#include "serve/served_text.h"
#include "serve/text_writer.h"
#include "write/prompt.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostTexts = 4096;

const EngineOptions& checked(const EngineOptions& options) {
  if (options.texts < 1 || options.texts > kMostTexts) {
    throw Error(ErrorCode::kUsage, fmt::format("`texts` is {}: expected 1 to {}", options.texts, kMostTexts), "texts");
  }
  if (options.cache_bytes < 0) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`cache_bytes` is {}: expected 0 (nothing is kept) or above", options.cache_bytes),
                "cache_bytes");
  }
  return options;
}

void check(const SymbolDetail& detail) {
  if (detail.alternatives >= 0) return;
  throw Error(ErrorCode::kUsage, fmt::format("`symbols.alternatives` is {}: expected 0 or above", detail.alternatives),
              "symbols.alternatives");
}

}  // namespace

struct Engine::Impl {
  Impl(Model model, const EngineOptions& options)
      : texts(options.texts),
        inference(std::move(model), options.threads, (kPieceSymbols + texts - 1) / texts, texts),
        reader(inference, texts, options.cache_bytes),
        writer(inference) {}

  [[nodiscard]] const Tokenizer& tokenizer() const { return inference.tokenizer(); }

  std::int64_t add(const TextRequest& request) {
    const GeneratorOptions& options = request.options;
    check(options, tokenizer());
    check(request.symbols);
    check_length(request.length);
    const BeginPolicy begin = begin_of(inference.model, options.begin);
    const std::optional<std::int32_t> condition = condition_of(inference.model, options.label);
    Prompt prompt = request.prompt_ids ? prompt_of(tokenizer(), begin, *request.prompt_ids)
                                       : prompt_of(tokenizer(), begin, request.prompt);
    if (request.prompt_ids) prompt.ends_in_space = ends_in_white_space(request.prompt);
    WrittenText writing(tokenizer(), {.options = options,
                                      .stops = request.stops,
                                      .length = request.length,
                                      .copy = request.copy,
                                      .previous = prompt.last,
                                      .prompt_ends_in_space = prompt.ends_in_space,
                                      .ends_at_boundary = condition.has_value()});
    waiting.push_back(std::make_unique<ServedText>(ServedText{.number = ++last_number,
                                                              .writing = std::move(writing),
                                                              .detail = request.symbols,
                                                              .condition = condition,
                                                              .reads = std::move(prompt.reads),
                                                              .first_is_given = begin == BeginPolicy::kNone}));
    return last_number;
  }

  bool remove(std::int64_t number) {
    const auto is_it = [&](const std::unique_ptr<ServedText>& text) { return text->number == number; };
    return std::erase_if(waiting, is_it) > 0 || reader.remove(number) || writer.remove(number);
  }

  std::vector<TextEvent> step() {
    std::vector<TextEvent> events;
    std::vector<StartedText> started;
    admit(events, started);
    if (reader.texts() > 0) {
      const bool others_wait = writer.texts() > 0;
      reader.read(others_wait ? writer.seconds_of_step() : std::nullopt, events, started);
    }
    start(started);
    if (writer.texts() > 0) {
      writer.write(reader.riding(), events);
      reader.rode(started);
      start(started);
    }
    return events;
  }

  void start(std::vector<StartedText>& started) {
    for (StartedText& text : started) writer.add(std::move(text));
    started.clear();
  }

  // Gives places to texts that wait. One of which nothing is asked needs none.
  void admit(std::vector<TextEvent>& events, std::vector<StartedText>& started) {
    while (!waiting.empty() && reader.texts() + writer.texts() + std::ssize(started) < texts) {
      std::unique_ptr<ServedText> text = std::move(waiting.front());
      waiting.pop_front();
      if (text->writing.finish() && !text->detail.prompt) {
        events.push_back({.text = text->number, .finish = text->writing.finish()});
      } else {
        reader.add(std::move(text), started);
      }
    }
  }

  std::int64_t texts;
  Inference inference;
  PromptReader reader;
  TextWriter writer;
  std::deque<std::unique_ptr<ServedText>> waiting;
  std::int64_t last_number = 0;
};

Engine::Engine(Model model, const EngineOptions& options)
    : impl_(std::make_unique<Impl>(std::move(model), checked(options))) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

std::int64_t Engine::add(const TextRequest& request) { return impl_->add(request); }

bool Engine::remove(std::int64_t text) { return impl_->remove(text); }

std::vector<TextEvent> Engine::step() { return impl_->step(); }

bool Engine::idle() const noexcept {
  return impl_->waiting.empty() && impl_->reader.texts() == 0 && impl_->writer.texts() == 0;
}

EngineLoad Engine::load() const noexcept {
  const PromptReader& reader = impl_->reader;
  return {.waiting = std::ssize(impl_->waiting),
          .reading = reader.texts(),
          .writing = impl_->writer.texts(),
          .symbols_read = reader.symbols_read(),
          .symbols_written = impl_->writer.symbols_written(),
          .cached_states = reader.cache().states(),
          .cached_bytes = reader.cache().bytes(),
          .symbols_cached = reader.symbols_cached()};
}

}  // namespace unroll
