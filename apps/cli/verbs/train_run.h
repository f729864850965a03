// One training run of `train`: shown, logged, and with a dashboard stopped and continued.
#pragma once

#include "cli/flags/train_flags.h"
#include "cli/streams/terminal.h"
#include "server/dashboard.h"
#include "unroll/train.h"

namespace unroll {

// Trains as asked; returns the status of the program. `dashboard` may be null. A run that its page stopped waits there
// until it is continued or a signal ends it.
int train_shown(const TrainCommand& command, Terminal& terminal, Dashboard* dashboard, TrainResult& result);

}  // namespace unroll
