#include "serve/text_writer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/stopwatch.h"
#include "infer/state_rows.h"
#include "infer/window_predictions.h"
#include "serve/symbol_reports.h"
#include "unroll/error.h"

namespace unroll {

Samplers::Samplers(int count, std::int64_t vocabulary, std::int32_t excluded)
    : samplers_(static_cast<std::size_t>(count), Sampler(vocabulary, excluded)) {
  for (Sampler& sampler : samplers_) free_.push_back(&sampler);
}

TextWriter::TextWriter(Inference& inference)
    : inference_(inference),
      samplers_(inference.workers.count(), inference.tokenizer().size(), inference.tokenizer().unknown()),
      state_(inference.config(), 1) {}

bool TextWriter::remove(std::int64_t number) {
  if (std::erase_if(joining_, [&](const StartedText& read) { return read.text->number == number; }) > 0) return true;
  const auto found =
      std::ranges::find_if(rows_, [&](const Row& row) { return row.text && row.text->number == number; });
  if (found == rows_.end()) return false;
  found->text.reset();
  return true;
}

std::int64_t TextWriter::texts() const noexcept {
  return std::ssize(joining_) + std::ranges::count_if(rows_, [](const Row& row) { return row.text != nullptr; });
}

void TextWriter::write(std::span<const RidingPrompt> riding, std::vector<TextEvent>& events) {
  arrange(std::ssize(riding));
  const Stopwatch stopwatch;
  step(riding);
  seconds_.at(steps_++ % seconds_.size()) = stopwatch.seconds();
  for (Row& row : rows_) {
    TextEvent& event = row.event;
    row.text->input = row.id;
    if (!event.error) {
      ++symbols_written_;
      event.finish = row.text->writing.finish();
    }
    const bool ended = event.finish || event.error;
    if (tells(event)) {
      event.text = row.text->number;
      event.written = row.text->writing.written();
      events.push_back(std::exchange(event, {}));
    }
    if (ended) row.text.reset();
  }
}

std::optional<double> TextWriter::seconds_of_step() const {
  if (steps_ == 0) return std::nullopt;
  const auto last = seconds_.begin() + static_cast<std::ptrdiff_t>(std::min(steps_, seconds_.size()));
  return *std::min_element(seconds_.begin(), last);
}

// Lets rows leave and join, and makes room for those of prompts. Their order does not matter to any bit.
void TextWriter::arrange(std::int64_t riding) {
  const auto has_left = [](const Row& row) { return row.text == nullptr; };
  if (joining_.empty() && std::ranges::none_of(rows_, has_left) && state_.B == std::ssize(rows_) + riding) return;
  NetworkState next(inference_.config(), texts() + riding);
  std::vector<float> numbers(static_cast<std::size_t>(row_size(inference_.config())));
  std::int64_t at = 0;
  for (std::size_t b = 0; b < rows_.size(); ++b) {
    if (has_left(rows_[b])) continue;
    read_row(state_, static_cast<std::int64_t>(b), numbers);
    write_row(numbers, next, at++);
  }
  std::erase_if(rows_, has_left);
  for (StartedText& read : joining_) {
    write_row(read.row, next, at++);
    rows_.push_back({.text = std::move(read.text)});
  }
  joining_.clear();
  state_ = std::move(next);
}

void TextWriter::step(std::span<const RidingPrompt> riding) {
  const std::int64_t texts = std::ssize(rows_);
  make_window(1, state_.B, window_, [&](std::int64_t b, std::int64_t) {
    if (b < texts) return WindowStep{.input = rows_[static_cast<std::size_t>(b)].text->input};
    const RidingPrompt& prompt = riding[static_cast<std::size_t>(b - texts)];
    write_row(prompt.row, state_, b);
    return WindowStep{.input = prompt.input};
  });
  inference_.forward(window_, state_);
  for (std::int64_t b = texts; b < state_.B; ++b) read_row(state_, b, riding[static_cast<std::size_t>(b - texts)].row);
  inference_.network.read_logits(inference_.weights, texts, [this](std::int64_t b, std::span<float> logits) {
    draw(rows_[static_cast<std::size_t>(b)], logits);
  });
  if (!inference_.config().cutoffs.empty()) predict_exactly();
}

// Draws a row's next symbol; from several workers at once, each with rows of its own.
void TextWriter::draw(Row& row, std::span<float> logits) {
  ServedText& text = *row.text;
  std::vector<float> before;  // writing may change them
  if (text.detail.written) before.assign(logits.begin(), logits.end());
  WrittenSymbol symbol;
  std::vector<SymbolShare> shares;
  try {
    samplers_.lend([&](Sampler& sampler) {
      symbol = text.writing.write(logits, sampler, row.event.piece);
      if (text.detail.shares) shares = sampler.last_shares();
    });
  } catch (const Error& error) {
    row.event.error = error;
    return;
  }
  row.id = symbol.id;
  if (!text.detail.written) return;
  SymbolReport& report = row.event.symbols.emplace_back();
  report.id = symbol.id;
  report.written = true;
  report.text = std::move(symbol.text);
  report.draw = symbol.draw;
  report.shares = std::move(shares);
  set_from_logits(before, text.detail, report);
}

// Sets what is reported where logits are rounded.
void TextWriter::predict_exactly() {
  bool any = false;
  bool ranks = false;
  for (std::size_t b = 0; b < rows_.size(); ++b) {
    if (rows_[b].event.symbols.empty()) continue;
    window_.targets[b] = rows_[b].id;
    any = true;
    ranks = ranks || rows_[b].text->detail.ranks;
  }
  if (!any) return;
  std::vector<SymbolPrediction> predictions(window_.targets.size());
  predict_window(inference_.network, inference_.weights, window_,
                 {.detail = ranks ? Detail::kRankAndEntropy : Detail::kLogProb}, predictions);
  for (std::size_t b = 0; b < rows_.size(); ++b) {
    if (rows_[b].event.symbols.empty()) continue;
    set_from_prediction(predictions[b], rows_[b].text->detail, rows_[b].event.symbols.back());
  }
}

}  // namespace unroll
