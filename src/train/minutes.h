// A run of minutes: what they pay for on this machine.
#pragma once

#include <cstdint>
#include <optional>

#include "train/options.h"
#include "train/pacing.h"
#include "train/run_plan.h"
#include "train/training_run.h"
#include "unroll/train.h"

namespace unroll {

// What a run of minutes decides when it begins.
struct MinutesPlan {
  TrainOptions options;  // as asked for, with settings and validations decided
  MeasuredCost cost = {};
  std::int64_t steps = 1;
};

// Measures the speed of this machine, and decides. `used` are the seconds of the minutes that are gone; measuring takes
// a few hundredths of the rest. Empty if it was to stop. `observer` gets a note where the minutes are too few for what
// was asked for. Throws Error{kMemory}, and as plan_run().
[[nodiscard]] std::optional<MinutesPlan> plan_minutes(const RunInputs& inputs, double used,
                                                      const TrainObserver& observer, const StopQuery& stop);

// The options of a run of minutes that began earlier, with what it decided then, as far as the record tells.
[[nodiscard]] TrainOptions as_begun(TrainOptions asked, const NamedValues& recorded);

// Names and values of the options in which a run of `steps` differs from what was asked for.
[[nodiscard]] NamedValues decided_options(const TrainOptions& asked, const RunPlan& plan, const TrainOptions& decided,
                                          std::int64_t steps);

}  // namespace unroll
