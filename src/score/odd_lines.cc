#include "unroll/score/odd_lines.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kFewestLines = 20;
// Enough lines for a standard deviation, ranges that are narrow where there are many lines.
constexpr std::int64_t kLinesOfARange = 50;
constexpr std::int64_t kMostRanges = 64;

// Where all lines are equally probable the deviation would be 0, and any other line infinitely odd.
constexpr double kLeastDeviation = 1e-6;

}  // namespace

OddLines::OddLines(std::span<const LineProbability> reference) {
  if (reference.size() < kFewestLines) {
    throw Error(ErrorCode::kInput,
                fmt::format("{} reference lines: expected at least {}", reference.size(), kFewestLines));
  }
  std::vector<LineProbability> fitted;
  std::vector<LineProbability> calibrating;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    if (reference[i].tokens < 1 || !std::isfinite(reference[i].log_prob)) {
      throw Error(ErrorCode::kInput, fmt::format("reference line {} has {} tokens and log-probability {}", i + 1,
                                                 reference[i].tokens, reference[i].log_prob));
    }
    (i % 2 == 0 ? fitted : calibrating).push_back(reference[i]);
  }
  fit(fitted);
  for (const LineProbability& line : calibrating) calibration_.push_back(oddness(line));
  std::ranges::sort(calibration_);
}

void OddLines::fit(std::span<const LineProbability> lines) {
  std::vector<LineProbability> sorted(lines.begin(), lines.end());
  std::ranges::stable_sort(sorted, {}, &LineProbability::tokens);
  const auto size = std::ssize(sorted);
  const std::int64_t ranges = std::clamp<std::int64_t>(size / kLinesOfARange, 1, kMostRanges);
  for (std::int64_t i = 0; i < ranges; ++i) {
    const auto part = std::span(sorted).subspan(static_cast<std::size_t>(size * i / ranges),
                                                static_cast<std::size_t>(size * (i + 1) / ranges - size * i / ranges));
    Range range;
    const auto count = static_cast<double>(part.size());
    for (const LineProbability& line : part) {
      range.tokens += static_cast<double>(line.tokens) / count;
      range.mean -= line.log_prob / count;
    }
    // About the line through the origin, so that a range of different lengths does not seem to vary more.
    double squares = 0;
    for (const LineProbability& line : part) {
      const double mean = range.mean * static_cast<double>(line.tokens) / range.tokens;
      squares += (-line.log_prob - mean) * (-line.log_prob - mean) / count;
    }
    range.deviation = std::max(std::sqrt(squares), kLeastDeviation);
    // Ranges of one length are one: the first.
    if (ranges_.empty() || range.tokens > ranges_.back().tokens) ranges_.push_back(range);
  }
}

OddLines::Range OddLines::expected(double tokens) const {
  const auto above = std::ranges::upper_bound(ranges_, tokens, {}, &Range::tokens);
  if (above == ranges_.begin() || above == ranges_.end()) {
    const Range& nearest = above == ranges_.begin() ? ranges_.front() : ranges_.back();
    const double ratio = tokens / nearest.tokens;
    return {.tokens = tokens, .mean = nearest.mean * ratio, .deviation = nearest.deviation * std::sqrt(ratio)};
  }
  const Range& below = *(above - 1);
  const double part = (tokens - below.tokens) / (above->tokens - below.tokens);
  return {.tokens = tokens,
          .mean = std::lerp(below.mean, above->mean, part),
          .deviation = std::lerp(below.deviation, above->deviation, part)};
}

double OddLines::oddness(const LineProbability& line) const {
  const Range usual = expected(static_cast<double>(line.tokens));
  return (-line.log_prob - usual.mean) / usual.deviation;
}

double OddLines::share(const LineProbability& line) const {
  const auto as_odd = calibration_.end() - std::ranges::lower_bound(calibration_, oddness(line));
  return static_cast<double>(1 + as_odd) / static_cast<double>(calibration_.size() + 1);
}

}  // namespace unroll
