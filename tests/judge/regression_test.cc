#include "unroll/judge/regression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "judge/random_labels.h"
#include "support/error_of.h"

namespace unroll {
namespace {

using Numbers = std::vector<double>;

Numbers random_numbers(std::uint32_t stream, std::size_t n) {
  Numbers numbers;
  for (std::size_t i = 0; i < n; ++i) numbers.push_back(4 * random_number(stream, i) - 1);
  return numbers;
}

TEST(Regression, IsThatOfTheDefinition) {
  const Numbers targets = random_numbers(1, 37);
  const Numbers answers = random_numbers(2, 37);
  double mean = 0;
  for (const double z : targets) mean += z / 37;
  double squares = 0;
  double absolutes = 0;
  double spread = 0;
  for (std::size_t i = 0; i < 37; ++i) {
    squares += std::pow(answers[i] - targets[i], 2);
    absolutes += std::fabs(answers[i] - targets[i]);
    spread += std::pow(targets[i] - mean, 2);
  }
  const Regression figures = judge_numbers(targets, answers);
  EXPECT_EQ(figures.rows, 37);
  EXPECT_NEAR(figures.mse, squares / 37, 1e-12);
  EXPECT_NEAR(figures.mae, absolutes / 37, 1e-12);
  EXPECT_NEAR(*figures.r_squared, 1 - squares / spread, 1e-12);
}

TEST(Regression, OfTargetsFarFromZeroLosesNoDigits) {
  const Numbers targets = {1e9 + 1, 1e9 + 2, 1e9 + 3};
  const Numbers answers = {1e9 + 1, 1e9 + 2, 1e9 + 4};
  EXPECT_NEAR(*judge_numbers(targets, answers).r_squared, 0.5, 1e-9);
}

TEST(Regression, OfEqualTargetsHasNoRSquared) {
  const Numbers targets(3, 0.1);
  const Numbers answers = {0.1, 0.2, 0.3};
  EXPECT_FALSE(judge_numbers(targets, answers).r_squared);
  EXPECT_FALSE(bootstrap_regression(targets, answers).r_squared);
  EXPECT_FALSE(judge_numbers(Numbers{1}, Numbers{2}).r_squared);
  EXPECT_EQ(*judge_numbers(Numbers{1, 2}, Numbers{1, 2}).r_squared, 1);
}

TEST(Regression, IntervalsAreThoseOfTheNormalApproximation) {
  const Numbers targets = random_numbers(3, 500);
  const Numbers answers = random_numbers(4, 500);
  const Regression figures = judge_numbers(targets, answers);
  double variance = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    variance += std::pow(std::fabs(answers[i] - targets[i]) - figures.mae, 2) / 500;
  }
  const double half = 1.96 * std::sqrt(variance / 500);
  const RegressionIntervals intervals = bootstrap_regression(targets, answers);
  EXPECT_NEAR(intervals.mae->low, figures.mae - half, half / 8);
  EXPECT_NEAR(intervals.mae->high, figures.mae + half, half / 8);
  EXPECT_LT(intervals.mse->low, figures.mse);
  EXPECT_GT(intervals.mse->high, figures.mse);
  EXPECT_LT(intervals.r_squared->low, *figures.r_squared);
  EXPECT_GT(intervals.r_squared->high, *figures.r_squared);
}

// Resamples of 0.1 alone and of 0.7 alone have no R²; it is 1 - e / 0.24 with one error e = 0.16, and 1 - 2e / 0.24.
TEST(Regression, ResamplesWithoutAValueAreLeftOut) {
  const RegressionIntervals intervals = bootstrap_regression(Numbers{0.1, 0.1, 0.7}, Numbers{0.1, 0.1, 1.1});
  EXPECT_NEAR(intervals.r_squared->low, -1.0 / 3, 1e-12);
  EXPECT_NEAR(intervals.r_squared->high, 1.0 / 3, 1e-12);
  EXPECT_NEAR(intervals.mse->high, 0.16, 1e-12);
}

TEST(Regression, WhatIsNoNumberIsRefused) {
  const auto judge = [](const Numbers& targets, const Numbers& answers) {
    return [=] { static_cast<void>(judge_numbers(targets, answers)); };
  };
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "2 targets and 1 answers", judge({1, 2}, {1})));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no numbers", judge({}, {})));
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "row 2", judge({1, 2}, {1, std::nan("")})));
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "row 1", judge({std::numeric_limits<double>::infinity()}, {1})));
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "overflow", judge({1e200, 0}, {0, 0})));
}

}  // namespace
}  // namespace unroll
