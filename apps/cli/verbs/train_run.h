// One training run of `train`: shown, logged, and with a dashboard stopped and continued.
#pragma once

#include "cli/flags/train_flags.h"
#include "cli/streams/terminal.h"
#include "server/dashboard.h"
#include "unroll/ranks.h"
#include "unroll/train.h"

namespace unroll {

// Where a run is shown, and by whom it is made.
struct TrainPlace {
  Terminal& terminal;
  Ranks& ranks;
  Dashboard* dashboard = nullptr;
};

// Trains as asked; returns the status of the program. A run that its page stopped waits there until it is continued or
// a signal ends it.
int train_shown(const TrainCommand& command, const TrainPlace& place, TrainResult& result);

}  // namespace unroll
