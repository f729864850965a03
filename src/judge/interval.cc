#include "unroll/judge/interval.h"

#include <algorithm>
#include <cmath>

#include "judge/resampling.h"

namespace unroll {
namespace {

// The end of Wilson's interval on the side of `sign`.
double wilson(std::int64_t hits, std::int64_t of, double sign) {
  constexpr double z = 1.959963984540054;  // of the normal distribution, 2.5% lie beyond it
  const auto n = static_cast<double>(of);
  const double p = static_cast<double>(hits) / n;
  const double middle = p + z * z / (2 * n);
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return std::clamp((middle + sign * half) / (1 + z * z / n), 0.0, 1.0);
}

constexpr std::int64_t kDrawsInSeconds = 50'000'000;

}  // namespace

double Proportion::share() const noexcept { return of == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(of); }
double Proportion::low() const noexcept { return of == 0 ? 0 : wilson(hits, of, -1); }
double Proportion::high() const noexcept { return of == 0 ? 1 : wilson(hits, of, 1); }

std::int64_t resamples_in_seconds(std::int64_t items, std::int64_t wanted) noexcept {
  const std::int64_t affordable = kDrawsInSeconds / std::max<std::int64_t>(1, items);
  return std::max(kFewestResamples, std::min(wanted, affordable));
}

}  // namespace unroll
