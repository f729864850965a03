// How near numbers are that a model answers to those that were wanted: squared and absolute error, R².
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "unroll/judge/interval.h"

namespace unroll {

// Of n targets z and answers y, with m the mean of z:
//
//   mse        sum of (y - z)^2 / n
//   mae        sum of |y - z| / n
//   r_squared  1 - sum of (y - z)^2 / sum of (z - m)^2: 1 for answers without error, 0 for those as good as m; no value
//              where all targets are equal
struct Regression {
  std::int64_t rows = 0;
  double mse = 0;
  double mae = 0;
  std::optional<double> r_squared;
};

// Throws Error{kUsage} for different numbers of targets and answers, Error{kInput} without any, and Error{kNumeric} for
// NaN and infinity, and for squares that overflow.
[[nodiscard]] Regression judge_numbers(std::span<const double> targets, std::span<const double> answers);

// The middle 95% of each over resamples of the rows; none where fewer than 40 resamples have a value.
struct RegressionIntervals {
  std::optional<Interval> mse;
  std::optional<Interval> mae;
  std::optional<Interval> r_squared;
};

// Throws as judge_numbers, and Error{kUsage} for fewer than 40 resamples.
[[nodiscard]] RegressionIntervals bootstrap_regression(std::span<const double> targets, std::span<const double> answers,
                                                       const BootstrapOptions& options = {});

}  // namespace unroll
