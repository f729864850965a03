// `train --auto`.
#pragma once

#include "cli/flags/train_flags.h"
#include "cli/streams/terminal.h"

namespace unroll {

// Searches, shows trials, and says how to repeat the best one. Returns the exit status.
int run_auto_train(const TrainCommand& command, Terminal& terminal);

}  // namespace unroll
