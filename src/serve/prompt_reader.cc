#include "serve/prompt_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "base/stopwatch.h"
#include "infer/condition.h"
#include "infer/state_rows.h"
#include "infer/window_predictions.h"
#include "serve/symbol_reports.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// The state before anything was read.
std::vector<float> first_row(const Inference& inference, std::optional<std::int32_t> condition) {
  State state = zero_state(inference.config(), 0);
  if (condition) set_condition(inference.config(), inference.weights, *condition, state);
  std::vector<float> row = std::move(state.h);
  row.insert(row.end(), state.c.begin(), state.c.end());
  return row;
}

}  // namespace

PromptReader::PromptReader(Inference& inference, std::int64_t most_rows, std::int64_t cache_bytes)
    : inference_(inference),
      cache_(cache_bytes),
      paces_{PromptPace(most_rows), PromptPace(most_rows)},
      state_(inference.config(), 1) {}

void PromptReader::add(std::unique_ptr<ServedText> text, std::vector<StartedText>& done) {
  text->input = text->reads.back();
  ++texts_;
  const bool reported = text->detail.prompt;
  if (!reported) {
    for (Reading& reading : readings_) {
      if (reading.reported || reading.first().condition != text->condition || reading.reads != text->reads) continue;
      reading.texts.push_back(std::move(text));
      return;
    }
  }
  Reading& reading = readings_.emplace_back();
  reading.reported = reported;
  reading.reads = std::move(text->reads);
  reading.texts.push_back(std::move(text));
  begin(reading);
  if (reading.left() > 0 || reported) return;
  std::vector<TextEvent> none;
  end(reading, none, done);
  readings_.pop_back();
}

void PromptReader::begin(Reading& reading) {
  const std::optional<std::int32_t> condition = reading.first().condition;
  if (!reading.reported) {
    const std::span<const std::int32_t> ids(reading.reads.data(), reading.reads.size() - 1);
    if (const std::optional<PromptCache::Found> found = cache_.find(condition, ids)) {
      reading.row.assign(found->row.begin(), found->row.end());
      reading.at = found->length;
      symbols_cached_ += found->length;
      return;
    }
  }
  reading.row = first_row(inference_, condition);
}

bool PromptReader::remove(std::int64_t number) {
  for (auto reading = readings_.begin(); reading != readings_.end(); ++reading) {
    if (std::erase_if(reading->texts, [&](const auto& text) { return text->number == number; }) == 0) continue;
    if (reading->texts.empty()) readings_.erase(reading);
    --texts_;
    return true;
  }
  return false;
}

void PromptReader::read(std::optional<double> seconds, std::vector<TextEvent>& events, std::vector<StartedText>& done) {
  choose(!seconds.has_value());
  if (chosen_.empty()) return;
  const bool reported = chosen_.front()->reported;
  PromptPace& pace = paces_.at(reported ? 1 : 0);
  PromptPiece piece = pace.choose(std::ssize(chosen_), seconds);
  chosen_.resize(static_cast<std::size_t>(piece.rows));
  piece.steps = std::min(piece.steps, std::ranges::min(chosen_, {}, &Reading::left)->left());
  if (piece.steps > 0) {
    const Stopwatch stopwatch;
    run(piece);
    if (reported) predict_rows();
    pace.note(piece, stopwatch.seconds());
  }
  for (std::size_t b = 0; b < chosen_.size(); ++b) {
    Reading& reading = *chosen_[b];
    if (reported) report(b, piece.steps, events);
    reading.at += piece.steps;
    if (reading.left() == 0) end(reading, events, done);
    if (reported && !tells(events.back())) events.pop_back();
  }
  drop_ended();
}

// Chooses prompts to be read in a piece, the most urgent ones first: all are reported or none is, and these kinds take
// turns. With `all` also those that could go along with a step.
void PromptReader::choose(bool all) {
  for (int turn = 0; turn < 2; ++turn) {
    reads_reported_ = !reads_reported_;
    chosen_.clear();
    for (Reading& reading : readings_) {
      const bool fits = all || reading.reported || reading.left() > kRidingSymbols;
      if (fits && reading.reported == reads_reported_) chosen_.push_back(&reading);
    }
    if (!chosen_.empty()) break;
  }
  if (chosen_.empty()) return;
  oldest_first_ = !oldest_first_;
  std::stable_sort(chosen_.begin() + (oldest_first_ ? 1 : 0), chosen_.end(),
                   [](const Reading* a, const Reading* b) { return a->left() < b->left(); });
}

std::span<const RidingPrompt> PromptReader::riding() {
  riding_.clear();
  for (Reading& reading : readings_) {
    if (!reading.reported) {
      riding_.push_back({.input = reading.reads[static_cast<std::size_t>(reading.at)], .row = reading.row});
    }
  }
  return riding_;
}

void PromptReader::rode(std::vector<StartedText>& done) {
  std::vector<TextEvent> none;
  for (Reading& reading : readings_) {
    if (reading.reported) continue;
    ++reading.at;
    ++symbols_read_;
    if (reading.left() == 0) end(reading, none, done);
  }
  drop_ended();
}

void PromptReader::drop_ended() {
  std::erase_if(readings_, [](const Reading& reading) { return reading.texts.empty(); });
}

void PromptReader::run(const PromptPiece& piece) {
  if (state_.B != piece.rows) state_ = NetworkState(inference_.config(), piece.rows);
  make_window(piece.steps, piece.rows, window_, [&](std::int64_t b, std::int64_t t) {
    const Reading& reading = *chosen_[static_cast<std::size_t>(b)];
    if (t == 0) write_row(reading.row, state_, b);
    const auto place = static_cast<std::size_t>(reading.at + t);
    return WindowStep{.input = reading.reads[place], .target = reading.reported ? reading.reads[place + 1] : kIgnored};
  });
  inference_.forward(window_, state_);
  for (std::int64_t b = 0; b < piece.rows; ++b) read_row(state_, b, chosen_[static_cast<std::size_t>(b)]->row);
  symbols_read_ += piece.rows * piece.steps;
}

// Sets the reports of the window's targets.
void PromptReader::predict_rows() {
  reports_.assign(window_.targets.size(), {});
  const auto detail = [&](std::size_t r) -> const SymbolDetail& { return chosen_[r % chosen_.size()]->first().detail; };
  for (std::size_t r = 0; r < reports_.size(); ++r) reports_[r].id = window_.targets[r];
  const bool exact = inference_.config().cutoffs.empty();
  const auto asks = [](const Reading* reading) { return reading->first().detail.alternatives > 0; };
  if (exact || std::ranges::any_of(chosen_, asks)) {
    inference_.network.read_logits(inference_.weights, [&](std::int64_t row, std::span<float> logits) {
      const auto r = static_cast<std::size_t>(row);
      set_from_logits(logits, detail(r), reports_[r]);
    });
  }
  if (exact) return;
  const auto ranks = [](const Reading* reading) { return reading->first().detail.ranks; };
  std::vector<SymbolPrediction> predictions(reports_.size());
  predict_window(inference_.network, inference_.weights, window_,
                 {.detail = std::ranges::any_of(chosen_, ranks) ? Detail::kRankAndEntropy : Detail::kLogProb},
                 predictions);
  for (std::size_t r = 0; r < reports_.size(); ++r) set_from_prediction(predictions[r], detail(r), reports_[r]);
}

// Reports the last `steps` symbols of row b. Ends its text where one of them has no probability.
void PromptReader::report(std::size_t b, std::int64_t steps, std::vector<TextEvent>& events) {
  Reading& reading = *chosen_[b];
  TextEvent& event = events.emplace_back();
  event.text = reading.first().number;
  if (reading.at == 0 && reading.first().first_is_given) {
    event.symbols.push_back({.id = reading.reads.front(), .given = true});
  }
  for (std::int64_t t = 0; t < steps; ++t) {
    SymbolReport& symbol = reports_[static_cast<std::size_t>(t) * chosen_.size() + b];
    if (!std::isfinite(symbol.log_prob)) {
      event.error = Error(ErrorCode::kNumeric,
                          fmt::format("the prompt: the prediction of symbol {} is {}: the model's weights or its state "
                                      "overflowed",
                                      reading.at + t + 1, symbol.log_prob));
      texts_ -= std::ssize(reading.texts);
      reading.texts.clear();
      return;
    }
    event.symbols.push_back(std::move(symbol));
  }
}

// Passes on the texts of a prompt that was read; those that only wanted it to be read have ended.
void PromptReader::end(Reading& reading, std::vector<TextEvent>& events, std::vector<StartedText>& done) {
  if (reading.texts.empty()) return;
  if (reading.at > 0) {
    cache_.keep(reading.first().condition, {reading.reads.data(), reading.reads.size() - 1}, reading.row);
  }
  for (std::unique_ptr<ServedText>& text : reading.texts) {
    if (const std::optional<Finish> finish = text->writing.finish()) {
      events.back().finish = finish;
    } else {
      done.push_back({std::move(text), reading.row});
    }
    --texts_;
  }
  reading.texts.clear();
}

}  // namespace unroll
