#include "probe/row_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "unroll/error.h"

namespace unroll {

void RowSink::expect(ReadText text) {
  texts_.push_back(std::move(text));
  if (texts_.size() == 1 && texts_.front().steps == 0) {
    texts_.emplace_front();
    advance();
  }
}

void RowSink::take(std::span<const float> step) {
  assert(!texts_.empty());
  const ReadText& text = texts_.front();
  expect_finite(text, step);
  if (pooling_) {
    if (step_ >= text.pooled_from) pooling_->add(step);
  } else {
    pass_rows(text, step);
  }
  if (++step_ < text.steps) return;
  if (pooling_) {
    const std::span<const float> vector = pooling_->finish();
    visit_({.text = text.text, .values = text.is_zero ? std::span<const float>(zeros_) : vector});
  }
  advance();
}

void RowSink::advance() {
  texts_.pop_front();
  step_ = 0;
  row_ = 0;
  for (; !texts_.empty() && texts_.front().steps == 0; texts_.pop_front()) {
    if (pooling_) visit_({.text = texts_.front().text, .values = zeros_});
  }
}

void RowSink::take_vector(std::span<const float> vector) {
  const ReadText& text = texts_.front();
  expect_finite(text, vector);
  visit_({.text = text.text, .values = vector});
  advance();
}

void RowSink::pass_rows(const ReadText& text, std::span<const float> step) {
  for (; row_ < text.rows.size() && text.rows[row_].step == step_; ++row_) {
    visit_(
        {.text = text.text, .symbol = static_cast<std::int64_t>(row_), .name = text.rows[row_].name, .values = step});
  }
}

void RowSink::expect_finite(const ReadText& text, std::span<const float> values) const {
  if (std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) return;
  throw Error(ErrorCode::kNumeric,
              fmt::format("{}: the network's states are NaN or infinite: its weights overflow", names_(text.text)),
              static_cast<std::int64_t>(text.text));
}

}  // namespace unroll
