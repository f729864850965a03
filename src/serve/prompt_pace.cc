#include "serve/prompt_pace.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

namespace unroll {
namespace {

constexpr std::int64_t kNotesToForget = 1000;  // what was measured longer ago may have been an accident
constexpr double kShortestStep = 1e-9;         // seconds; a clock may measure none

// The largest i with 2^i <= rows.
std::size_t halvings(std::int64_t rows) noexcept {
  return static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(rows))) - 1;
}

}  // namespace

PromptPiece PromptPace::choose(std::int64_t prompts, std::optional<double> seconds) const {
  const std::int64_t most = std::min({prompts, most_rows_, kPieceSymbols});
  if (!seconds) return {.rows = most, .steps = kPieceSymbols / most};
  PromptPiece best{.rows = 1, .steps = 1};
  const std::vector<double> of_step = estimates(halvings(most) + 1);
  for (std::size_t i = 0; i < of_step.size(); ++i) {
    const std::int64_t rows = std::int64_t{1} << i;
    const double fitting = std::floor(*seconds / std::max(of_step[i], kShortestStep));
    const double steps = std::min(fitting, static_cast<double>(kPieceSymbols / rows));
    const PromptPiece piece{.rows = rows, .steps = static_cast<std::int64_t>(steps)};
    if (piece.rows * piece.steps >= best.rows * best.steps) best = piece;
  }
  return best;
}

void PromptPace::note(const PromptPiece& piece, double seconds) {
  const std::size_t i = halvings(piece.rows);
  if (of_rows_.size() <= i) of_rows_.resize(i + 1);
  const double measured = seconds / static_cast<double>(piece.steps);
  std::optional<Measured>& known = of_rows_[i];
  if (!known) known = {.seconds = measured};
  // A thread that had to wait for its core tells little, so a single measurement never counts for more than twice what
  // was known.
  known->seconds += (std::min(measured, 2 * known->seconds) - known->seconds) / 4;
  known->note = ++notes_;
  for (std::optional<Measured>& other : of_rows_) {
    if (other && notes_ - other->note > kNotesToForget) other.reset();
  }
}

// The time of a step of 1, 2, 4, ... rows; infinite for numbers of rows that are not tried yet.
std::vector<double> PromptPace::estimates(std::size_t count) const {
  const std::vector<Point> points = measured_points();
  std::vector<double> of_step(count, std::numeric_limits<double>::infinity());
  if (points.empty()) return of_step;
  for (std::size_t i = 0; i < count; ++i) {
    const auto rows = static_cast<double>(std::int64_t{1} << i);
    const auto above = std::ranges::find_if(points, [rows](const Point& point) { return point.rows >= rows; });
    if (above == points.begin()) {
      of_step[i] = above->seconds;
    } else if (above != points.end()) {
      of_step[i] = on_line(*(above - 1), *above, rows);
    } else if (rows <= 2 * points.back().rows) {
      of_step[i] = points.size() == 1 ? points.back().seconds : on_line(*(above - 2), *(above - 1), rows);
    }
    if (i > 0) of_step[i] = std::min(of_step[i], 2 * of_step[i - 1]);
  }
  return of_step;
}

// What was measured, with fewer rows first, none of which take longer than more of them.
std::vector<PromptPace::Point> PromptPace::measured_points() const {
  std::vector<Point> points;
  for (std::size_t i = of_rows_.size(); i-- > 0;) {
    if (!of_rows_[i]) continue;
    const double seconds =
        points.empty() ? of_rows_[i]->seconds : std::min(of_rows_[i]->seconds, points.back().seconds);
    points.push_back({.rows = static_cast<double>(std::int64_t{1} << i), .seconds = seconds});
  }
  std::ranges::reverse(points);
  return points;
}

double PromptPace::on_line(const Point& a, const Point& b, double rows) {
  return a.seconds + (b.seconds - a.seconds) * (rows - a.rows) / (b.rows - a.rows);
}

}  // namespace unroll
