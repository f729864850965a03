// The steps of a whole text in a window, over all of its pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "text/window.h"

namespace unroll {

// Step t of row b of a window of B rows is row t*B+b of a matrix of steps; a text is a list of such rows, in order.
class TextSteps {
 public:
  TextSteps(std::int64_t B, std::span<const WindowPiece> pieces, const WindowText& text)
      : B_(B), pieces_(pieces.subspan(static_cast<std::size_t>(text.first), static_cast<std::size_t>(text.count))) {}

  [[nodiscard]] std::int64_t first() const { return row_of(pieces_.front(), 0); }
  [[nodiscard]] std::int64_t last() const { return row_of(pieces_.back(), pieces_.back().steps - 1); }
  [[nodiscard]] std::int64_t count() const {
    std::int64_t steps = 0;
    for (const WindowPiece& piece : pieces_) steps += piece.steps;
    return steps;
  }
  // Calls visit(row) on each, in order.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const WindowPiece& piece : pieces_) {
      for (std::int64_t i = 0; i < piece.steps; ++i) visit(row_of(piece, i));
    }
  }
  // The same from the last to the first.
  template <class Visit>
  void for_each_backwards(const Visit& visit) const {
    for (std::size_t p = pieces_.size(); p-- > 0;) {
      for (std::int64_t i = pieces_[p].steps; i-- > 0;) visit(row_of(pieces_[p], i));
    }
  }

 private:
  [[nodiscard]] std::int64_t row_of(const WindowPiece& piece, std::int64_t i) const {
    return (piece.first + i) * B_ + piece.row;
  }

  std::int64_t B_;
  std::span<const WindowPiece> pieces_;
};

}  // namespace unroll
