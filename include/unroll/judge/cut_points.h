// Answering from a score on: what every cut through a sorted file of scores gives.
//
//   const std::vector<CutPoint> points = cut_points(items, support);
//   const CutPoint& chosen = points[*best_precision(points, 0.9)];
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "unroll/judge/classification.h"

namespace unroll {

// Something that may be answered or not: a text with one label in mind.
struct ScoredItem {
  double score = 0;       // higher: answered earlier. Not NaN
  bool is_right = false;  // whether the answer would be right
};

// All items with a score of at least `lowest` are answered.
struct CutPoint {
  double lowest = 0;           // the lowest score that is answered; infinity: nothing is
  std::optional<double> next;  // the highest one that is not; none: all are answered
  HitCounts counts;
};

// Every cut, from none answered to all: items of equal scores are on one side, and so are those whose scores follow one
// another within `least_gap`. `support` are the instances in the data, of which some may not be among the items: an
// item that is right is one of them. O(n log n).
[[nodiscard]] std::vector<CutPoint> cut_points(std::vector<ScoredItem> items, std::int64_t support,
                                               double least_gap = 0);

// The cut with the largest F1; of equal ones the one that answers least. Requires a support above 0.
[[nodiscard]] std::size_t best_f1(std::span<const CutPoint> points);

// Of the cuts with a recall of at least `least_recall` the one with the highest precision, then the highest recall.
// None if no cut has that recall. Cuts without an answer have no precision and are never chosen.
[[nodiscard]] std::optional<std::size_t> best_precision(std::span<const CutPoint> points, double least_recall);

// Of the cuts with a precision of at least `least_precision` the one with the highest recall, then the highest
// precision. None if no cut has that precision.
[[nodiscard]] std::optional<std::size_t> best_recall(std::span<const CutPoint> points, double least_precision);

// The number with the fewest digits above `low` and at most `high`, about in the middle: 0.3 for 0.2871 and 0.3204.
// Requires low < high, both finite.
[[nodiscard]] double short_number_between(double low, double high);

}  // namespace unroll
