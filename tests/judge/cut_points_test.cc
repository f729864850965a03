#include "unroll/judge/cut_points.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

namespace unroll {
namespace {

// Scores on a coarse grid, so that many are equal.
std::vector<ScoredItem> random_items(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<ScoredItem> items;
  for (std::size_t i = 0; i < count; ++i) {
    const double score = static_cast<double>(random() % 17) / 16;
    items.push_back({score, static_cast<double>(random() % 100) / 100 < score});
  }
  return items;
}

std::int64_t rights_of(const std::vector<ScoredItem>& items) {
  return std::ranges::count_if(items, [](const ScoredItem& item) { return item.is_right; });
}

// Counted anew for each threshold, in plain loops.
HitCounts counts_from(const std::vector<ScoredItem>& items, std::int64_t support, double threshold) {
  HitCounts counts{.support = support};
  for (const ScoredItem& item : items) {
    if (item.score < threshold) continue;
    ++counts.answered;
    if (item.is_right) ++counts.hits;
  }
  return counts;
}

std::set<double> thresholds_of(const std::vector<ScoredItem>& items) {
  std::set<double> thresholds;
  for (const ScoredItem& item : items) thresholds.insert(item.score);
  return thresholds;
}

void expect_same_counts(const HitCounts& a, const HitCounts& b) {
  EXPECT_EQ(a.hits, b.hits);
  EXPECT_EQ(a.answered, b.answered);
  EXPECT_EQ(a.support, b.support);
}

TEST(CutPoints, AreAllCutsWithTheCountsThatPlainLoopsFind) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    const std::vector<ScoredItem> items = random_items(61, seed);
    const std::int64_t support = rights_of(items) + 5;
    const std::vector<CutPoint> points = cut_points(items, support);
    const std::set<double> thresholds = thresholds_of(items);
    ASSERT_EQ(points.size(), thresholds.size() + 1);
    EXPECT_EQ(points.front().counts.answered, 0);
    EXPECT_EQ(points.front().next, *thresholds.rbegin());
    EXPECT_FALSE(points.back().next);
    auto threshold = thresholds.rbegin();
    for (std::size_t i = 1; i < points.size(); ++i, ++threshold) {
      EXPECT_EQ(points[i].lowest, *threshold);
      expect_same_counts(points[i].counts, counts_from(items, support, *threshold));
    }
  }
}

TEST(CutPoints, TheBestOnesAreThoseOfPlainLoops) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const std::vector<ScoredItem> items = random_items(40, seed);
    const std::int64_t support = rights_of(items) + seed % 3;
    const std::vector<CutPoint> points = cut_points(items, support);
    for (const double floor : {0.1, 0.5, 0.75, 0.9, 1.0}) {
      std::optional<double> precision;
      std::optional<double> recall;
      double f1 = 0;
      for (const double threshold : thresholds_of(items)) {
        const HitCounts counts = counts_from(items, support, threshold);
        f1 = std::max(f1, *counts.f1());
        if (*counts.recall() >= floor) precision = std::max(precision.value_or(0), *counts.precision());
        if (*counts.precision() >= floor) recall = std::max(recall.value_or(0), *counts.recall());
      }
      const auto at_recall = best_precision(points, floor);
      ASSERT_EQ(at_recall.has_value(), precision.has_value());
      if (precision) {
        EXPECT_EQ(points[*at_recall].counts.precision(), precision);
        EXPECT_GE(*points[*at_recall].counts.recall(), floor);
      }
      const auto at_precision = best_recall(points, floor);
      ASSERT_EQ(at_precision.has_value(), recall.has_value());
      if (recall) {
        EXPECT_EQ(points[*at_precision].counts.recall(), recall);
        EXPECT_GE(*points[*at_precision].counts.precision(), floor);
      }
      EXPECT_EQ(points[best_f1(points)].counts.f1(), f1);
    }
  }
}

TEST(CutPoints, ScoresWithinTheLeastGapAreOnOneSide) {
  const std::vector<ScoredItem> items{{1, true}, {1 + 1e-12, false}, {0.5, true}, {0.5 - 1e-8, false}};
  const std::vector<CutPoint> points = cut_points(items, 2, 1e-9);
  ASSERT_EQ(points.size(), 4U);
  EXPECT_EQ(points[1].counts.answered, 2);
  EXPECT_EQ(points[2].counts.answered, 3);
  EXPECT_EQ(cut_points({}, 2).size(), 1U);
}

TEST(CutPoints, AShortNumberLiesInItsGap) {
  EXPECT_EQ(short_number_between(0.2871, 0.3204), 0.3);
  EXPECT_EQ(short_number_between(0.1, 0.9), 0.5);
  EXPECT_EQ(short_number_between(0.96, 0.98), 0.97);
  EXPECT_EQ(short_number_between(120, 900), 500);
  std::mt19937 random(5);
  std::uniform_real_distribution<double> any(0, 1);
  for (int i = 0; i < 1000; ++i) {
    const double low = any(random);
    const double high = i % 2 == 0 ? std::nextafter(low, 2.0) : std::max(any(random), std::nextafter(low, 2.0));
    const double number = short_number_between(low, high);
    EXPECT_LT(low, number);
    EXPECT_LE(number, high);
  }
}

}  // namespace
}  // namespace unroll
