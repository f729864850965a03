#include "label/conditional_windows.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace unroll {
namespace {

// Steps [first, last) of the examples, in a row of its own.
struct ConditionalPiece {
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool begins_text = false;
  std::int32_t boundary = 0;
  std::int32_t label = 0;
};

std::int64_t piece_count(std::int64_t length) { return (length + kPieceSteps - 1) / kPieceSteps; }

std::vector<ConditionalPiece> pieces_of(const Examples& examples, std::span<const std::size_t> texts) {
  std::vector<ConditionalPiece> pieces;
  for (const std::size_t text : texts) {
    const std::int64_t count = piece_count(examples.length(text));
    const std::int64_t start = examples.starts[text];
    const std::int64_t end = examples.starts[text + 1];
    for (std::int64_t i = 0; i < count; ++i) {
      pieces.push_back({.first = start + i * kPieceSteps,
                        .last = std::min(end, start + (i + 1) * kPieceSteps),
                        .begins_text = i == 0,
                        .boundary = examples.ids[static_cast<std::size_t>(end - 1)],
                        .label = examples.labels[text]});
    }
  }
  return pieces;
}

}  // namespace

void make_conditional_window(const Examples& examples, std::span<const std::size_t> texts, Window& out) {
  const std::vector<ConditionalPiece> pieces = pieces_of(examples, texts);
  std::int64_t T = 0;
  for (const ConditionalPiece& piece : pieces) T = std::max(T, piece.last - piece.first);
  make_window(T, std::ssize(pieces), out, [&](std::int64_t row, std::int64_t t) {
    const ConditionalPiece& piece = pieces[static_cast<std::size_t>(row)];
    const std::int64_t at = piece.first + t;
    if (at >= piece.last) return WindowStep{.input = piece.boundary};
    const bool starts = t == 0 && piece.begins_text;
    return WindowStep{.input = starts ? piece.boundary : examples.ids[static_cast<std::size_t>(at - 1)],
                      .target = examples.ids[static_cast<std::size_t>(at)]};
  });
  out.conditions.clear();
  for (const ConditionalPiece& piece : pieces) out.conditions.push_back(piece.label);
}

PackedSize largest_conditional_window(const Examples& examples, std::int64_t texts_per_window) {
  std::vector<std::int64_t> counts;
  std::int64_t longest = 1;
  for (std::size_t i = 0; i < examples.count(); ++i) {
    counts.push_back(piece_count(examples.length(i)));
    longest = std::max(longest, examples.length(i));
  }
  const auto taken =
      static_cast<std::ptrdiff_t>(std::min<std::size_t>(static_cast<std::size_t>(texts_per_window), counts.size()));
  std::ranges::partial_sort(counts, counts.begin() + taken, std::greater());
  std::int64_t rows = 0;
  for (std::ptrdiff_t i = 0; i < taken; ++i) rows += counts[static_cast<std::size_t>(i)];
  return {.T = std::min(longest, kPieceSteps), .B = rows};
}

}  // namespace unroll
