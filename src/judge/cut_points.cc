#include "unroll/judge/cut_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <string>
#include <tuple>

namespace unroll {
namespace {

// The place of the point with the greatest key, which is a tuple; the first of equal ones. None if no point `is_fit`.
template <class IsFit, class Key>
std::optional<std::size_t> greatest_point(std::span<const CutPoint> points, const IsFit& is_fit, const Key& key) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!is_fit(points[i].counts)) continue;
    if (!best || key(points[i].counts) > key(points[*best].counts)) best = i;
  }
  return best;
}

}  // namespace

std::vector<CutPoint> cut_points(std::vector<ScoredItem> items, std::int64_t support, double least_gap) {
  std::ranges::sort(items, std::ranges::greater(), &ScoredItem::score);
  CutPoint point{.lowest = std::numeric_limits<double>::infinity(), .next = {}, .counts = {.support = support}};
  if (!items.empty()) point.next = items.front().score;
  std::vector<CutPoint> points{point};
  for (std::size_t i = 0; i < items.size(); ++i) {
    ++point.counts.answered;
    point.counts.hits += items[i].is_right ? 1 : 0;
    point.lowest = items[i].score;
    point.next = i + 1 < items.size() ? std::optional(items[i + 1].score) : std::nullopt;
    if (!point.next || point.lowest - *point.next > least_gap) points.push_back(point);
  }
  return points;
}

std::size_t best_f1(std::span<const CutPoint> points) {
  // 2 h / (a + s) as a fraction of whole numbers, so that equal is equal.
  const auto is_greater = [](const HitCounts& a, const HitCounts& b) {
    return a.hits * (b.answered + b.support) > b.hits * (a.answered + a.support);
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (is_greater(points[i].counts, points[best].counts)) best = i;
  }
  return best;
}

std::optional<std::size_t> best_precision(std::span<const CutPoint> points, double least_recall) {
  return greatest_point(
      points, [&](const HitCounts& counts) { return counts.answered > 0 && counts.recall() >= least_recall; },
      [](const HitCounts& counts) { return std::tuple(*counts.precision(), *counts.recall()); });
}

std::optional<std::size_t> best_recall(std::span<const CutPoint> points, double least_precision) {
  return greatest_point(
      points, [&](const HitCounts& counts) { return counts.answered > 0 && counts.precision() >= least_precision; },
      [](const HitCounts& counts) { return std::tuple(counts.recall(), *counts.precision()); });
}

double short_number_between(double low, double high) {
  const double middle = low + (high - low) / 2;
  for (int digits = 1; digits <= std::numeric_limits<double>::max_digits10; ++digits) {
    const std::string text = fmt::format("{:.{}g}", middle, digits);
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    if (low < number && number <= high) return number;
  }
  return high;
}

}  // namespace unroll
