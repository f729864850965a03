// Packs whole texts into the rows of a window.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/window.h"

namespace unroll {

// Steps of a piece at most: a longer text is read in pieces of about equal length, each from a zero state. Sequences of
// numbers are read in one piece: what comes of their end may depend on their beginning.
inline constexpr std::int64_t kPieceSteps = 256;
inline constexpr std::int64_t kWholeSequence = std::int64_t{1} << 31;

// The sizes of a window.
struct PackedSize {
  std::int64_t T = 0;
  std::int64_t B = 0;
};

// Cuts texts of these lengths (at least 1) into pieces and gives each a place in a window of at most `most_rows` rows:
// longest pieces first, each into the first row that has room. The window is about as short as that allows. Sets
// `pieces` and `texts`; a function of the lengths alone.
PackedSize pack_texts(std::span<const std::int64_t> lengths, std::int64_t most_rows, std::int64_t piece_steps,
                      std::vector<WindowPiece>& pieces, std::vector<WindowText>& texts);

// A size that every window of pack_texts() fits into, T <= T' and T B <= T' B', whose texts have `steps` steps at most
// and the longest of which has `longest`.
[[nodiscard]] PackedSize largest_packed(std::int64_t longest, std::int64_t steps, std::int64_t most_rows,
                                        std::int64_t piece_steps);

}  // namespace unroll
