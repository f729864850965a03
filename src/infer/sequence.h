// One row that reads a sequence of ids, window by window.
#pragma once

#include <cstdint>
#include <span>

#include "text/reading.h"
#include "text/window.h"

namespace unroll {

// Steps of a window of one row, or of few: wide enough for the products, narrow enough for the processor's cache.
inline constexpr std::int64_t kSequenceSteps = 64;

// Makes `window` one row that reads `input` and then all but the last of `next`, and predicts `next`. Requires at least
// one id.
void set_sequence(std::int32_t input, std::span<const std::int32_t> next, Window& window);

// Makes `window` one row of the next steps of a sequence, those of `next`. Requires at least one id.
void set_sequence(SequenceSteps& steps, std::span<const std::int32_t> next, Window& window);

// A row that goes through `ids`, which it views, at most kSequenceSteps at a time.
//
//   SequenceRow row(boundary, ids);
//   while (row.next(window)) network.forward(weights, window, state);
//   set_sequence(row.input(), ...);
class SequenceRow {
 public:
  // `input` is what the network reads before the first of them.
  SequenceRow(std::int32_t input, std::span<const std::int32_t> ids) : input_(input), rest_(ids) {}

  // Makes the next window; false when all ids were predicted.
  bool next(Window& window);

  // What the network reads next.
  [[nodiscard]] std::int32_t input() const noexcept { return input_; }

 private:
  std::int32_t input_;
  std::span<const std::int32_t> rest_;
};

}  // namespace unroll
