// Lines of any length side by side, each from a zero state, with little work for rows that have ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "text/reading.h"
#include "text/window.h"

namespace unroll {

// Deals lines to at most B rows, longest line first, each to the row that is shortest so far: rows of about equal
// length, unless a single line is longer. Returns the longest row first; no row is empty. (Graham 1969)
[[nodiscard]] std::vector<std::vector<std::int64_t>> deal_lines(std::span<const std::int64_t> lengths, std::int64_t B);

// Cuts rows of lines into windows of at most T steps. Rows that have ended leave, so later windows may be narrower.
//
// Every line closes with the boundary; its first step is that of a start (text/reading.h), from a zero state. Views the
// ids and the rows, which must outlive it.
class LineRows {
 public:
  // Line i is ids[starts[i] .. starts[i + 1]). Requires a reading with StatePolicy::kReset.
  LineRows(std::span<const std::int32_t> ids, std::span<const std::int64_t> starts,
           std::span<const std::vector<std::int64_t>> rows, const Reading& reading, std::int64_t T);

  // The next window; false when there is none. Its row b is rows[b].
  bool next(Window& out);

 private:
  struct Place {
    std::size_t line = 0;       // of the row's lines
    std::int64_t position = 0;  // in the line
  };

  [[nodiscard]] std::int64_t start(std::int64_t line) const { return starts_[static_cast<std::size_t>(line)]; }
  [[nodiscard]] std::int64_t length(std::int64_t line) const { return start(line + 1) - start(line); }
  // The next step of a row; a row that has ended reads the boundary and predicts nothing.
  WindowStep advance(std::size_t row);

  std::span<const std::int32_t> ids_;
  std::span<const std::int64_t> starts_;
  std::span<const std::vector<std::int64_t>> rows_;
  Reading reading_;
  std::int64_t steps_per_window_;
  std::vector<std::int64_t> rest_;  // steps that each row has left
  std::vector<Place> places_;
};

}  // namespace unroll
