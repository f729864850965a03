// Cuts a sequence of ids into windows of T steps by B rows, for training and evaluation.
#pragma once

#include <cstdint>
#include <vector>

#include "text/ids.h"
#include "text/reading.h"
#include "text/window.h"

namespace unroll {

// The part of an id sequence that one row of the windows processes. Its predictions are ids[first..last); the `warm`
// ids before `first` are read from a zero state and not predicted.
struct Piece {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t warm = 0;

  [[nodiscard]] std::int64_t steps() const noexcept { return warm + last - first; }
  friend bool operator==(const Piece&, const Piece&) = default;
};

// B contiguous pieces, in order, whose sizes differ by at most one, covering all n predictions. For training.
[[nodiscard]] std::vector<Piece> equal_pieces(std::int64_t n, std::int64_t B);

// At most B pieces of about equal size, in order, none empty, covering all predictions, each of whole lines: cuts are
// right after a boundary id. A line is never cut, however long.
[[nodiscard]] std::vector<Piece> line_pieces(const IdView& ids, std::int32_t boundary, std::int64_t B);

// The pieces of a text for evaluation; their number depends on the number of ids alone, one per 1,024 but at most 64.
// kCarry: equal pieces, each with a warm-up of 256 ids before it (fewer at the start); with `exact` a single piece.
// kReset: pieces of whole lines, without warm-up, since lines are independent.
[[nodiscard]] std::vector<Piece> evaluation_pieces(const IdView& ids, const Reading& reading, bool exact);

// Cuts ids into windows. Each row processes one piece, T steps per window; the state is carried from one window to the
// next.
//
// The input of a step is the id before its target, or the boundary before ids[0]. Reset bits: the first step of each
// row, so that window 0 starts from zero by itself; with StatePolicy::kReset also every step whose input is the
// boundary, where a line starts. With BeginPolicy::kNone the steps of starts are those of text/reading.h. A row whose
// piece has ended reads the boundary and predicts nothing. Windows have T steps, except the last, which ends with the
// longest piece.
//
// Views the ids, which must outlive it: of those of a file a window reads what its rows need. Const members may be
// called from any number of threads, and throw as MappedIds::at().
class Batcher {
 public:
  // Requires at least one piece, each with 0 <= warm <= first <= last <= ids.size(), and T >= 1.
  Batcher(const IdView& ids, const Reading& reading, std::vector<Piece> pieces, std::int64_t T);

  [[nodiscard]] std::int64_t rows() const noexcept { return static_cast<std::int64_t>(pieces_.size()); }  // B

  // Steps of an epoch: those of the longest piece, including warm-up.
  [[nodiscard]] std::int64_t steps() const noexcept { return longest_; }

  // Windows in an epoch: ceil(steps() / T).
  [[nodiscard]] std::int64_t windows() const noexcept;

  // Sets `out` to window `index`, 0 <= index < windows(), in any order; reuses its memory.
  void window(std::int64_t index, Window& out) const;

  // Sets `out` to the window of `count` >= 1 steps from `first_step` on; 0 <= first_step, first_step + count <=
  // steps().
  void window_of(std::int64_t first_step, std::int64_t count, Window& out) const {
    window_of(first_step, count, 0, rows(), out);
  }

  // The same of rows [first_row, last_row) alone. No id of another row is read.
  void window_of(std::int64_t first_step, std::int64_t count, std::int64_t first_row, std::int64_t last_row,
                 Window& out) const;

 private:
  [[nodiscard]] WindowStep step_at(std::int64_t row, std::int64_t step) const;

  IdView ids_;
  Reading reading_;
  std::vector<Piece> pieces_;
  std::int64_t steps_per_window_;
  std::int64_t longest_ = 0;
};

}  // namespace unroll
