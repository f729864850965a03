#include "unroll/judge/paired.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <utility>

#include "judge/random_labels.h"
#include "support/error_of.h"

namespace unroll {
namespace {

using Labels = std::vector<std::int32_t>;

// The share of all 2^n ways for n fair coins to fall in which they fall at least as unevenly.
double coins(int n, int heads) {
  double as_uneven = 0;
  for (std::uint32_t way = 0; way < 1U << n; ++way) {
    as_uneven += std::abs(2 * std::popcount(way) - n) >= std::abs(2 * heads - n) ? 1 : 0;
  }
  return as_uneven / std::pow(2, n);
}

TEST(McNemar, IsTheShareOfCoinsThatFallAsUnevenly) {
  for (int n = 0; n <= 11; ++n) {
    for (int heads = 0; heads <= n; ++heads) {
      EXPECT_NEAR(mcnemar_p_value(heads, n - heads), coins(n, heads), 1e-12) << n << " " << heads;
    }
  }
}

// 2 (1 - normal distribution of |a - b| - 1 over sqrt(a + b)), the approximation with a correction for continuity.
TEST(McNemar, OfManyTextsIsNearTheNormalApproximation) {
  for (const auto& [a, b] : {std::pair{1000, 1100}, {50'000, 50'300}, {500'000, 500'000}}) {
    const double z = (std::abs(a - b) - 1) / std::sqrt(a + b);
    EXPECT_NEAR(mcnemar_p_value(a, b), std::min(1.0, std::erfc(z / std::sqrt(2))), 1e-3);
  }
  EXPECT_EQ(mcnemar_p_value(0, 1'000'000), 0);
}

double plain_macro_f1(const Labels& right, const Labels& answers, std::int32_t K) {
  double sum = 0;
  double labels = 0;
  for (std::int32_t k = 0; k < K; ++k) {
    double hits = 0;
    double both = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
      hits += right[i] == k && answers[i] == k ? 1 : 0;
      both += (right[i] == k ? 1 : 0) + (answers[i] == k ? 1 : 0);
    }
    if (both > 0) sum += 2 * hits / both, labels += 1;
  }
  return sum / labels;
}

// Every way to swap the answers to any of the texts.
double p_by_all_swaps(const Labels& right, const Labels& a, const Labels& b, std::int32_t K) {
  const double observed = std::fabs(plain_macro_f1(right, a, K) - plain_macro_f1(right, b, K));
  double as_large = 0;
  for (std::uint32_t way = 0; way < 1U << right.size(); ++way) {
    Labels swapped_a = a;
    Labels swapped_b = b;
    for (std::size_t i = 0; i < right.size(); ++i) {
      if ((way >> i & 1) != 0) std::swap(swapped_a[i], swapped_b[i]);
    }
    const double gap = std::fabs(plain_macro_f1(right, swapped_a, K) - plain_macro_f1(right, swapped_b, K));
    as_large += gap >= observed - 1e-9 ? 1 : 0;
  }
  return as_large / std::pow(2, right.size());
}

struct Pair {
  Labels right;
  Labels a;
  Labels b;
};

Pair random_pair(std::uint32_t stream, std::size_t N, std::int32_t K) {
  Pair pair;
  pair.right = random_labels(stream, N, K);
  pair.a = random_answers(stream + 1, pair.right, K, 0.2);
  pair.b = random_answers(stream + 2, pair.right, K, 0.8);
  return pair;
}

TEST(Paired, MacroF1IsComparedByAllSwapsOfFewTexts) {
  for (const std::uint32_t stream : {10U, 20U, 30U}) {
    const auto [right, a, b] = random_pair(stream, 9, 3);
    const PairedComparison found = compare_macro_f1(right, a, b, 3);
    EXPECT_TRUE(found.is_exact);
    EXPECT_NEAR(*found.a, plain_macro_f1(right, a, 3), 1e-12);
    EXPECT_NEAR(*found.b, plain_macro_f1(right, b, 3), 1e-12);
    EXPECT_NEAR(found.p_value, p_by_all_swaps(right, a, b, 3), 1e-12);
    EXPECT_EQ(compare_macro_f1(right, b, a, 3).p_value, found.p_value);
  }
}

TEST(Paired, RandomSwapsComeNearToAllSwaps) {
  const auto [right, a, b] = random_pair(40, 16, 3);
  const PairedComparison found = compare_macro_f1(right, a, b, 3);
  const PairedComparison all = compare_macro_f1(right, a, b, 3, {.resamples = 65'536});
  EXPECT_FALSE(found.is_exact);
  ASSERT_TRUE(all.is_exact);
  EXPECT_NEAR(found.p_value, all.p_value, 4 * std::sqrt(all.p_value * (1 - all.p_value) / 1000) + 0.001);
  EXPECT_NE(found.p_value, compare_macro_f1(right, a, b, 3, {.seed = 2}).p_value);
}

TEST(Paired, EqualAnswersDoNotDiffer) {
  const Labels right = random_labels(50, 30, 3);
  const Labels a = random_answers(51, right, 3, 0.5);
  const PairedComparison found = compare_macro_f1(right, a, a, 3);
  EXPECT_EQ(found.differing, 0);
  EXPECT_EQ(found.p_value, 1);
  EXPECT_EQ(found.difference->low, 0);
  EXPECT_EQ(found.difference->high, 0);
}

// With one label, and for accuracy, a randomisation test is McNemar's.
TEST(Paired, AccuracyByCountsIsMcNemars) {
  std::vector<HitCounts> a(12, {.hits = 1, .answered = 1, .support = 1});
  std::vector<HitCounts> b = a;
  for (const std::size_t i : {0U, 1U, 2U, 3U, 4U, 5U, 6U}) b[i].hits = 0;
  for (const std::size_t i : {7U, 8U}) a[i].hits = 0;
  const PairedComparison found = compare_f1(a, b);
  EXPECT_EQ(found.differing, 9);
  EXPECT_TRUE(found.is_exact);
  EXPECT_NEAR(found.p_value, mcnemar_p_value(7, 2), 1e-12);
  EXPECT_NEAR(*found.a - *found.b, 5.0 / 12, 1e-12);
}

TEST(Paired, IntervalsOfDifferencesAreThoseOfTheNormalApproximation) {
  constexpr std::size_t N = 400;
  std::vector<HitCounts> a;
  std::vector<HitCounts> b;
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < N; ++i) {
    a.push_back({.hits = random_number(60, i) < 0.8 ? 1 : 0, .answered = 1, .support = 1});
    b.push_back({.hits = random_number(61, i) < 0.3 ? 0 : a.back().hits, .answered = 1, .support = 1});
    const auto difference = static_cast<double>(a.back().hits - b.back().hits);
    sum += difference / N;
    squares += difference * difference / N;
  }
  const double half = 1.96 * std::sqrt((squares - sum * sum) / N);
  const PairedComparison found = compare_f1(a, b);
  EXPECT_NEAR(found.difference->low, sum - half, half / 8);
  EXPECT_NEAR(found.difference->high, sum + half, half / 8);
  EXPECT_NEAR(found.p_value, 1.0 / 1001, 1e-12) << "none of a thousand shuffles is as uneven";
}

TEST(Paired, SetsOfOneLabelAreComparedAsLabels) {
  const auto [right, a, b] = random_pair(70, 9, 3);
  const auto sets = [](const Labels& labels) {
    std::vector<Labels> all;
    for (const std::int32_t label : labels) all.push_back({label});
    return all;
  };
  EXPECT_EQ(compare_macro_f1(sets(right), sets(a), sets(b), 3).p_value, compare_macro_f1(right, a, b, 3).p_value);
}

TEST(Paired, WhatCannotBeComparedIsRefused) {
  const Labels two = {0, 1};
  const std::vector<HitCounts> one = {{.hits = 0, .answered = 0, .support = 1}};
  const std::vector<HitCounts> other = {{.hits = 0, .answered = 0, .support = 2}};
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "2 texts with labels and 1",
                         [&] { static_cast<void>(compare_macro_f1(two, two, Labels{0}, 2)); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "same instances", [&] { static_cast<void>(compare_f1(one, other)); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "1 and 0 texts", [&] { static_cast<void>(compare_f1(one, {})); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no texts", [&] { static_cast<void>(compare_f1({}, {})); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "at least 40", [&] { static_cast<void>(compare_f1(one, one, {.resamples = 1})); }));
}

}  // namespace
}  // namespace unroll
