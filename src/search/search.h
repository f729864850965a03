// The search behind auto_train(), with its trainer and its clock given.
#pragma once

#include <functional>

#include "unroll/auto_train.h"

namespace unroll {

struct SearchWorld {
  std::function<TrainResult(const TrainOptions&, const TrainObserver&)> train;
  std::function<double()> seconds;  // since the call began
};

// auto_train() with these. Everything that depends on time asks world.seconds() alone.
AutoTrainResult search_settings(const AutoTrainOptions& options, const AutoTrainObserver& observer,
                                const SearchWorld& world);

}  // namespace unroll
