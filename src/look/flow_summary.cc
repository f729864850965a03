#include "look/flow_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "unroll/error.h"

namespace unroll {
namespace {

void expect_at_least_one(const char* name, std::int64_t value) {
  if (value >= 1) return;
  throw Error(ErrorCode::kUsage, fmt::format("`{}` is {}: expected 1 or more", name, value), name);
}

// Of sorted numbers, the one at this share of the way.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = place - static_cast<double>(below);
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

}  // namespace

void expect_flow_options(const GradientFlowOptions& options) {
  expect_at_least_one("lags", options.lags);
  expect_at_least_one("positions", options.positions);
}

double median_of_flow(std::vector<double> numbers) {
  std::ranges::sort(numbers);
  return quantile(numbers, 0.5);
}

FlowAtLag summary_of_flow(std::int64_t lag, std::vector<double> ratios) {
  std::ranges::sort(ratios);
  return {.lag = lag,
          .count = std::ssize(ratios),
          .lower = quantile(ratios, 0.25),
          .median = quantile(ratios, 0.5),
          .upper = quantile(ratios, 0.75)};
}

double per_step_of_flow(const std::vector<FlowAtLag>& lags) {
  double count = 0;
  double x = 0;
  double y = 0;
  double xx = 0;
  double xy = 0;
  for (const FlowAtLag& at : lags) {
    if (!(at.median > 0) || !std::isfinite(at.median)) continue;
    const auto lag = static_cast<double>(at.lag);
    count += 1;
    x += lag;
    y += std::log(at.median);
    xx += lag * lag;
    xy += lag * std::log(at.median);
  }
  if (count < 2) return std::numeric_limits<double>::quiet_NaN();
  return std::exp((count * xy - x * y) / (count * xx - x * x));
}

}  // namespace unroll
