#include "train/pacing.h"

#include <algorithm>
#include <cmath>

namespace unroll {
namespace {

// The tokens of a validation that takes so long: all, or a round number of them.
std::int64_t affordable_tokens(const EpochShape& epoch, const MeasuredCost& cost, double seconds) {
  constexpr double kLeast = 1000;
  if (epoch.valid_tokens_asked) return epoch.valid_tokens;
  const double affordable = std::max(kLeast, seconds / std::max(1e-12, cost.per_valid_token));
  if (affordable >= static_cast<double>(epoch.valid_tokens)) return epoch.valid_tokens;
  const double unit = std::pow(10, std::floor(std::log10(affordable)) - 1);
  return static_cast<std::int64_t>(std::floor(affordable / unit) * unit);
}

}  // namespace

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

std::int64_t save_interval(std::int64_t asked, const MeasuredCost& cost) {
  constexpr double kSeconds = 30;
  if (asked > 0) return asked;
  return std::max<std::int64_t>(1, std::llround(kSeconds / std::max(1e-6, cost.per_step)));
}

Pace pace_within(const EpochShape& epoch, const MeasuredCost& cost, std::int64_t save_every, double seconds) {
  constexpr double kMostShare = 0.1;
  Pace pace{.valid_tokens = affordable_tokens(epoch, cost, kMostShare * seconds)};
  const double per_validation = static_cast<double>(pace.valid_tokens) * cost.per_valid_token;
  const double per_step = cost.per_step + cost.per_save / static_cast<double>(save_every);
  const double for_steps = seconds - cost.per_save;
  const auto steps_in = [&](double time, double each) {
    return static_cast<std::int64_t>(std::clamp(time / each, 1.0, static_cast<double>(kMostSteps)));
  };
  if (pace.valid_tokens == 0 || epoch.validate_every > 0) {
    pace.validate_every = pace.valid_tokens == 0 ? 0 : epoch.validate_every;
    const double share = pace.valid_tokens == 0 ? 0 : per_validation / static_cast<double>(epoch.validate_every);
    const double last = pace.valid_tokens == 0 ? 0 : per_validation;
    pace.steps = steps_in(for_steps - last, per_step + share);
    return pace;
  }
  constexpr double kLeastCount = 10;
  const double epochs = for_steps / per_step / static_cast<double>(epoch.windows);
  const double count =
      std::floor(std::clamp(kMostShare * seconds / per_validation, 1.0, std::max(kLeastCount, epochs)));
  pace.steps = steps_in(for_steps - count * per_validation, per_step);
  pace.validate_every = static_cast<std::int64_t>(std::ceil(static_cast<double>(pace.steps) / count));
  return pace;
}

double seconds_of(const Pace& pace, const MeasuredCost& cost, std::int64_t save_every) {
  const std::int64_t validations = pace.validate_every == 0 ? 0 : (pace.steps - 1) / pace.validate_every + 1;
  const std::int64_t saves = pace.steps / save_every + 1;
  return static_cast<double>(pace.steps) * cost.per_step +
         static_cast<double>(validations * pace.valid_tokens) * cost.per_valid_token +
         static_cast<double>(saves) * cost.per_save;
}

}  // namespace unroll
