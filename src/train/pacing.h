// The pace of a run: how many steps fit into a time, and how often it validates and saves.
#pragma once

#include <cstdint>

namespace unroll {

// The longest run: a step is 32 bits of a random counter.
inline constexpr std::int64_t kMostSteps = std::int64_t{1} << 31;

// The shape of an epoch.
struct EpochShape {
  std::int64_t windows = 0;            // steps
  std::int64_t tokens_per_step = 0;    // of a full window
  std::int64_t train_tokens = 0;       // predictions
  std::int64_t valid_tokens = 0;       // of a validation; 0: there is none
  std::int64_t valid_read = 0;         // symbols that it reads
  std::int64_t valid_text_tokens = 0;  // of the whole validation text
  bool valid_tokens_asked = false;     // somebody asked for as many as that
  std::int64_t validate_every = 0;     // steps, as asked for; 0: see validation_interval()
};

// Steps between validations of a run of `steps`; 0: none. As asked for; else after every epoch, but at least ten times
// in a run and seldom enough to cost about a tenth of the training at most. The last step is always validated too. A
// function of counts alone, so that a run repeats.
[[nodiscard]] std::int64_t validation_interval(const EpochShape& epoch, std::int64_t steps);

// What was measured before the first step, in seconds.
struct MeasuredCost {
  double per_step = 0;
  double per_valid_token = 0;  // of all weights that are validated: twice as much with an average
  double per_save = 0;
};

// Steps between saves: as asked for; where that is 0, about 30 seconds.
[[nodiscard]] std::int64_t save_interval(std::int64_t asked, const MeasuredCost& cost);

// How a run spends its time.
struct Pace {
  std::int64_t steps = 1;
  std::int64_t validate_every = 0;  // steps; 0: there is no validation
  std::int64_t valid_tokens = 0;    // of each validation
};

// The most steps, kMostSteps at most, that fit into `seconds` with their validations and a save every `save_every`
// steps. Where nobody asked for something else, validations come after every epoch, but ten times at least, and take a
// tenth of the time at most: so there are fewer, down to one after the last step, and that one reads as much of the
// validation text as a tenth of the time pays for. A run has a step, and a validation some tokens, whatever they cost:
// see seconds_of().
[[nodiscard]] Pace pace_within(const EpochShape& epoch, const MeasuredCost& cost, std::int64_t save_every,
                               double seconds);

// The time that a run of that pace is going to take.
[[nodiscard]] double seconds_of(const Pace& pace, const MeasuredCost& cost, std::int64_t save_every);

}  // namespace unroll
