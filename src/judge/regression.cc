#include "unroll/judge/regression.h"

#include <fmt/core.h>

#include <cmath>

#include "judge/resampling.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Sums over rows. Deviations are taken from a number near all targets, so that squares do not cancel.
class ErrorSums {
 public:
  explicit ErrorSums(double near) : near_(near) {}

  void add(double target, double answer) noexcept {
    const double error = answer - target;
    const double deviation = target - near_;
    if (rows_ == 0) first_ = target;
    differ_ = differ_ || target != first_;
    ++rows_;
    squares_ += error * error;
    absolutes_ += std::fabs(error);
    deviations_ += deviation;
    squared_deviations_ += deviation * deviation;
  }

  [[nodiscard]] Regression figures() const noexcept {
    const auto n = static_cast<double>(rows_);
    Regression figures{.rows = rows_, .mse = squares_ / n, .mae = absolutes_ / n, .r_squared = {}};
    const double spread = squared_deviations_ - deviations_ * deviations_ / n;
    if (differ_ && spread > 0) figures.r_squared = 1 - squares_ / spread;
    return figures;
  }

  [[nodiscard]] bool finite() const noexcept { return std::isfinite(squares_) && std::isfinite(squared_deviations_); }

 private:
  double near_;
  double first_ = 0;
  bool differ_ = false;
  std::int64_t rows_ = 0;
  double squares_ = 0;
  double absolutes_ = 0;
  double deviations_ = 0;
  double squared_deviations_ = 0;
};

double mean_of(std::span<const double> numbers) noexcept {
  double mean = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) mean += (numbers[i] - mean) / static_cast<double>(i + 1);
  return mean;
}

void check_numbers(std::span<const double> targets, std::span<const double> answers) {
  if (targets.size() != answers.size()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} targets and {} answers: expected as many of both", targets.size(), answers.size()));
  }
  if (targets.empty()) throw Error(ErrorCode::kInput, "no numbers to judge: expected at least one");
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!std::isfinite(targets[i]) || !std::isfinite(answers[i])) {
      throw Error(
          ErrorCode::kNumeric,
          fmt::format("target {} and answer {} of row {}: expected finite numbers", targets[i], answers[i], i + 1),
          static_cast<std::int64_t>(i));
    }
  }
}

}  // namespace

Regression judge_numbers(std::span<const double> targets, std::span<const double> answers) {
  check_numbers(targets, answers);
  ErrorSums sums(mean_of(targets));
  for (std::size_t i = 0; i < targets.size(); ++i) sums.add(targets[i], answers[i]);
  if (!sums.finite()) {
    throw Error(ErrorCode::kNumeric, "the squares of these numbers overflow: divide targets by a constant first");
  }
  return sums.figures();
}

RegressionIntervals bootstrap_regression(std::span<const double> targets, std::span<const double> answers,
                                         const BootstrapOptions& options) {
  static_cast<void>(judge_numbers(targets, answers));
  const double mean = mean_of(targets);
  const auto values_of = [&](std::span<const std::size_t> drawn, std::span<std::optional<double>> values) {
    ErrorSums sums(mean);
    for (const std::size_t i : drawn) sums.add(targets[i], answers[i]);
    if (!sums.finite()) return;
    const Regression figures = sums.figures();
    values[0] = figures.mse;
    values[1] = figures.mae;
    values[2] = figures.r_squared;
  };
  const auto middles = middles_of_resamples(targets.size(), options, 3, values_of);
  return {.mse = middles[0], .mae = middles[1], .r_squared = middles[2]};
}

}  // namespace unroll
