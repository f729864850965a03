// The pace of a run: how many steps fit into a time, and how often it validates and saves.
#pragma once

#include <cstdint>

namespace unroll {

// The shape of an epoch.
struct EpochShape {
  std::int64_t windows = 0;          // steps
  std::int64_t tokens_per_step = 0;  // of a full window
  std::int64_t train_tokens = 0;     // predictions
  std::int64_t valid_tokens = 0;     // 0: no validation
  std::int64_t validate_every = 0;   // steps, as asked for; 0: see validation_interval()
};

// Steps between validations of a run of `steps`; 0: none. As asked for; else after every epoch, but at least ten times
// in a run and seldom enough to cost about a tenth of the training at most. The last step is always validated too. A
// function of counts alone, so that a run repeats.
[[nodiscard]] std::int64_t validation_interval(const EpochShape& epoch, std::int64_t steps);

// How many validations that makes.
[[nodiscard]] std::int64_t validation_count(const EpochShape& epoch, std::int64_t steps);

// What was measured before the first step, in seconds.
struct MeasuredCost {
  double per_step = 0;
  double per_validation = 0;
  double per_save = 0;
};

// Steps between saves: as asked for; where that is 0, about 30 seconds.
[[nodiscard]] std::int64_t save_interval(std::int64_t asked, const MeasuredCost& cost);

// The most steps that fit into `seconds` with their validations and a save every `save_every` steps; 1 at least, and
// `most` at most.
[[nodiscard]] std::int64_t steps_within(const EpochShape& epoch, const MeasuredCost& cost, std::int64_t save_every,
                                        double seconds, std::int64_t most);

}  // namespace unroll
