// An average of the weights that a run passes through, next to the last ones.
#pragma once

#include <cstdint>
#include <span>

#include "unroll/train.h"

namespace unroll {

// How the average a moves after each step t: a += share_t (w - a), from a = 0.
//
//   kEma        share_t = (1 - D) / (1 - D^t): a is the exponential moving average with decay D, divided by 1 - D^t so
//               that the start at zero has no weight (the correction of Kingma & Ba 2015, section 3)
//   kTriggered  share_t = 1 / (t - t0) after step t0, the trigger: a is the mean of the weights since then
//               (averaged SGD, Polyak & Juditsky 1992, as in Merity et al. 2018, algorithm 1)
struct AverageRule {
  Average kind = Average::kNone;
  double ema_decay = 0;
  std::int64_t nonmono = 0;
};

// The average of a run in progress.
struct Averaging {
  static constexpr std::int64_t kNotYet = -1;

  AverageRule rule;
  std::int64_t start = kNotYet;  // steps made when the average began; saved for a resumed run

  explicit Averaging(const AverageRule& the_rule) noexcept;

  // Back to before the first step.
  void restart() noexcept;

  [[nodiscard]] bool began() const noexcept { return start != kNotYet; }

  // The share of step number `step`, counted from 1; 0: no average yet.
  [[nodiscard]] double share(std::int64_t step) const noexcept;

  // Call after each validation, with the loss of the last weights after `step` and those of all validations before it.
  // Begins a triggered average where the loss is worse than the best of those more than `nonmono` validations ago.
  void validated(std::int64_t step, double nats, std::span<const double> before) noexcept;
};

}  // namespace unroll
