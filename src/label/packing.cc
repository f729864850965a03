#include "label/packing.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace unroll {
namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) noexcept { return (a + b - 1) / b; }

// Pieces of about equal length, in order.
void cut_text(std::int64_t length, std::int64_t piece_steps, std::vector<WindowPiece>& pieces,
              std::vector<WindowText>& texts) {
  const std::int64_t count = divide_up(length, piece_steps);
  texts.push_back({static_cast<std::int32_t>(pieces.size()), static_cast<std::int32_t>(count)});
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t steps = length / count + (i < length % count ? 1 : 0);
    pieces.push_back({.row = 0, .first = 0, .steps = static_cast<std::int32_t>(steps)});
  }
}

// Places pieces in the order of `longest_first` into rows of T steps. Returns the number of rows; more than most_rows:
// they do not fit.
std::int64_t place(std::span<const std::size_t> longest_first, std::int64_t T, std::int64_t most_rows,
                   std::vector<WindowPiece>& pieces) {
  std::vector<std::int64_t> used;
  for (const std::size_t i : longest_first) {
    WindowPiece& piece = pieces[i];
    auto row = std::ranges::find_if(used, [&](std::int64_t steps) { return steps + piece.steps <= T; });
    if (row == used.end()) {
      if (std::ssize(used) == most_rows) return most_rows + 1;
      row = used.insert(used.end(), 0);
    }
    piece.row = static_cast<std::int32_t>(row - used.begin());
    piece.first = static_cast<std::int32_t>(*row);
    *row += piece.steps;
  }
  return std::ssize(used);
}

// Rows of this length hold any pieces: all but one row are more than half full.
std::int64_t sufficient_length(std::int64_t longest, std::int64_t steps, std::int64_t most_rows) {
  return most_rows == 1 ? steps : std::max(longest, divide_up(2 * steps, most_rows - 1) + 1);
}

}  // namespace

PackedSize pack_texts(std::span<const std::int64_t> lengths, std::int64_t most_rows, std::int64_t piece_steps,
                      std::vector<WindowPiece>& pieces, std::vector<WindowText>& texts) {
  assert(most_rows >= 1 && !lengths.empty());
  pieces.clear();
  texts.clear();
  for (const std::int64_t length : lengths) cut_text(length, piece_steps, pieces, texts);
  std::vector<std::size_t> longest_first(pieces.size());
  std::iota(longest_first.begin(), longest_first.end(), std::size_t{0});
  std::ranges::stable_sort(longest_first, std::ranges::greater(), [&](std::size_t i) { return pieces[i].steps; });
  const std::int64_t longest = pieces[longest_first.front()].steps;
  const std::int64_t steps = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  const std::int64_t most = sufficient_length(longest, steps, most_rows);
  std::int64_t T = std::max(longest, divide_up(steps, most_rows));
  for (;;) {
    const std::int64_t rows = place(longest_first, T, most_rows, pieces);
    if (rows <= most_rows) return {.T = T, .B = rows};
    assert(T < most);
    T = std::min(most, T + 1 + T / 16);
  }
}

PackedSize largest_packed(std::int64_t longest, std::int64_t steps, std::int64_t most_rows, std::int64_t piece_steps) {
  const std::int64_t piece = std::min(longest, piece_steps);
  return {.T = sufficient_length(piece, steps, most_rows), .B = most_rows};
}

}  // namespace unroll
