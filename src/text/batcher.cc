#include "text/batcher.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace unroll {
namespace {

constexpr std::int64_t kWarm = 256;
constexpr std::int64_t kIdsPerPiece = 1024;
constexpr std::int64_t kMostPieces = 64;

std::int32_t at(const IdView& ids, std::int64_t index) { return ids[static_cast<std::size_t>(index)]; }

}  // namespace

std::vector<Piece> equal_pieces(std::int64_t n, std::int64_t B) {
  assert(n >= 0 && B >= 1);
  std::vector<Piece> pieces;
  std::int64_t first = 0;
  for (std::int64_t b = 0; b < B; ++b) {
    const std::int64_t last = first + n / B + (b < n % B ? 1 : 0);
    pieces.push_back({first, last, 0});
    first = last;
  }
  return pieces;
}

std::vector<Piece> line_pieces(const IdView& ids, std::int32_t boundary, std::int64_t B) {
  assert(B >= 1);
  const std::int64_t n = std::ssize(ids);
  std::vector<Piece> pieces;
  std::int64_t first = 0;
  for (const Piece& equal : equal_pieces(n, B)) {
    std::int64_t last = std::max(equal.last, first);
    while (last > first && last < n && at(ids, last - 1) != boundary) ++last;
    if (last > first) pieces.push_back({first, last, 0});
    first = last;
  }
  return pieces;
}

std::vector<Piece> evaluation_pieces(const IdView& ids, const Reading& reading, bool exact) {
  const std::int64_t n = std::ssize(ids);
  const std::int64_t count = exact ? 1 : std::clamp<std::int64_t>(n / kIdsPerPiece, 1, kMostPieces);
  if (reading.state == StatePolicy::kReset) return line_pieces(ids, reading.boundary, count);
  std::vector<Piece> pieces = equal_pieces(n, count);
  for (Piece& piece : pieces) piece.warm = std::min(kWarm, piece.first);
  return pieces;
}

Batcher::Batcher(const IdView& ids, const Reading& reading, std::vector<Piece> pieces, std::int64_t T)
    : ids_(ids), reading_(reading), pieces_(std::move(pieces)), steps_per_window_(T) {
  assert(!pieces_.empty() && T >= 1);
  for (const Piece& piece : pieces_) {
    assert(0 <= piece.warm && piece.warm <= piece.first && piece.first <= piece.last && piece.last <= std::ssize(ids));
    longest_ = std::max(longest_, piece.steps());
  }
}

std::int64_t Batcher::windows() const noexcept { return (longest_ + steps_per_window_ - 1) / steps_per_window_; }

void Batcher::window(std::int64_t index, Window& out) const {
  assert(index >= 0 && index < windows());
  const std::int64_t first_step = index * steps_per_window_;
  window_of(first_step, std::min(steps_per_window_, longest_ - first_step), out);
}

void Batcher::window_of(std::int64_t first_step, std::int64_t count, std::int64_t first_row, std::int64_t last_row,
                        Window& out) const {
  assert(first_step >= 0 && count >= 1 && first_step + count <= longest_);
  assert(first_row >= 0 && first_row <= last_row && last_row <= rows());
  make_window(count, last_row - first_row, out,
              [&](std::int64_t b, std::int64_t t) { return step_at(first_row + b, first_step + t); });
  out.part = {.first_row = first_row, .rows = rows()};
}

WindowStep Batcher::step_at(std::int64_t row, std::int64_t step) const {
  const Piece& piece = pieces_[static_cast<std::size_t>(row)];
  if (step >= piece.steps()) return {.input = reading_.idle_input(), .reset = step == 0};
  const auto position = static_cast<std::size_t>(piece.first - piece.warm + step);
  const SequencePlace place{.before = position > 0 ? ids_[position - 1] : reading_.boundary,
                            .start = reading_.is_start(ids_, position),
                            .after_start = position > 0 && reading_.is_start(ids_, position - 1)};
  WindowStep made = step_of(reading_, place, ids_[position]);
  if (step < piece.warm) made.target = kIgnored;
  made.reset = made.reset || step == 0;
  return made;
}

}  // namespace unroll
