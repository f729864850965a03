// The learning rate over a run.
#pragma once

#include <cstdint>

#include "unroll/train.h"

namespace unroll {

// The rate of each step: linear warm-up over the first `warmup` steps, then the schedule.
//
//   constant   lr
//   cosine     from lr down to lr / 100 along half a cosine over the rest of the run
//   linear     from lr towards 0 along a line over the rest of the run; the last step is still above 0
//   plateau    lr, divided by 4 after each validation that is not a new best
//   step       lr / decay^max(0, e - decay_after) in epoch e, counted from 1 (Zaremba et al. 2014, section 4.1)
struct LearningRate {
  Schedule schedule = Schedule::kConstant;
  double lr = 0;
  std::int64_t warmup = 0;  // steps
  std::int64_t steps = 0;   // of the whole run
  double divisor = 1;       // plateau: grows; saved for a resumed run

  // step
  std::int64_t epoch_steps = 1;
  std::int64_t decay_after = 0;  // epochs
  double decay = 1;

  // Of step number `step`, counted from 1.
  [[nodiscard]] double at(std::int64_t step) const;

  // Call after each validation.
  void validated(bool improved);
};

}  // namespace unroll
