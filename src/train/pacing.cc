#include "train/pacing.h"

#include <algorithm>
#include <cmath>

namespace unroll {

std::int64_t validation_interval(const EpochShape& epoch, std::int64_t steps) {
  if (epoch.valid_tokens == 0) return 0;
  if (epoch.validate_every > 0) return epoch.validate_every;
  constexpr std::int64_t kLeastCount = 10;
  constexpr double kMostShare = 0.1;
  constexpr double kForwardShare = 1.0 / 3;  // of the cost of training on a token
  const std::int64_t often = std::min(epoch.windows, (steps + kLeastCount - 1) / kLeastCount);
  const double seldom =
      kForwardShare / kMostShare * static_cast<double>(epoch.valid_tokens) / static_cast<double>(epoch.tokens_per_step);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(seldom), often, std::max(often, steps));
}

std::int64_t validation_count(const EpochShape& epoch, std::int64_t steps) {
  const std::int64_t interval = validation_interval(epoch, steps);
  return interval == 0 ? 0 : (steps + interval - 1) / interval;
}

std::int64_t save_interval(std::int64_t asked, const MeasuredCost& cost) {
  constexpr double kSeconds = 30;
  if (asked > 0) return asked;
  return std::max<std::int64_t>(1, std::llround(kSeconds / std::max(1e-6, cost.per_step)));
}

std::int64_t steps_within(const EpochShape& epoch, const MeasuredCost& cost, std::int64_t save_every, double seconds,
                          std::int64_t most) {
  const auto duration = [&](std::int64_t steps) {
    const std::int64_t saves = steps / save_every + 1;
    return static_cast<double>(steps) * cost.per_step +
           static_cast<double>(validation_count(epoch, steps)) * cost.per_validation +
           static_cast<double>(saves) * cost.per_save;
  };
  // The duration grows with the steps but for small jumps of the validation count, so halving finds a fit.
  std::int64_t fits = 1;
  const double bound = std::min(seconds / cost.per_step, static_cast<double>(most));
  std::int64_t too_many = std::max<std::int64_t>(2, static_cast<std::int64_t>(bound) + 2);
  while (too_many - fits > 1) {
    const std::int64_t middle = fits + (too_many - fits) / 2;
    (duration(middle) <= seconds ? fits : too_many) = middle;
  }
  return std::min(fits, most);
}

}  // namespace unroll
