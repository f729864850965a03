// The flags of `train`.
#pragma once

#include <string>
#include <vector>

#include "cli/flags/flags.h"
#include "unroll/train.h"

namespace unroll {

// What a command line of `train` asks for.
struct TrainCommand {
  TrainOptions options;
  std::string log;     // path of the training log; empty: none
  std::string recipe;  // what to say of the recipe; empty: there is none
  bool quiet = false;
};

// The flags under the heading "Run": length, optimizer, schedule, precision, seed, threads.
void add_run_flags(Flags* flags, TrainOptions* options);

// Reads the arguments after the verb. False when help was asked for: it is printed then. Throws Error{kUsage}.
[[nodiscard]] bool parse_train_command(const std::vector<std::string>& arguments, TrainCommand* command);

}  // namespace unroll
