#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace unroll {

double LearningRate::at(std::int64_t step) const {
  if (step <= warmup) return lr * static_cast<double>(step) / static_cast<double>(warmup);
  const auto rest = static_cast<double>(std::max<std::int64_t>(1, steps - warmup));
  const double done = static_cast<double>(step - warmup - 1) / rest;
  switch (schedule) {
    case Schedule::kConstant:
      return lr;
    case Schedule::kPlateau:
      return lr / divisor;
    case Schedule::kCosine: {
      constexpr double kLast = 0.01;
      return lr * (kLast + (1 - kLast) * 0.5 * (1 + std::cos(std::numbers::pi * done)));
    }
    case Schedule::kLinear:
      return lr * (1 - done);
    case Schedule::kStep: {
      const std::int64_t epoch = (step - 1) / epoch_steps + 1;
      return lr / std::pow(decay, static_cast<double>(std::max<std::int64_t>(0, epoch - decay_after)));
    }
  }
  return lr;
}

void LearningRate::validated(bool improved) {
  constexpr double kFactor = 4;
  if (schedule == Schedule::kPlateau && !improved) divisor *= kFactor;
}

}  // namespace unroll
