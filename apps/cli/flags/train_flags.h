// The flags of `train`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unroll/train.h"

namespace unroll {

// What a command line of `train` asks for.
struct TrainCommand {
  TrainOptions options;
  std::string log;     // path of the training log; empty: none
  std::string recipe;  // the recipe's name and what it still decides, as flags; empty: there is none
  bool quiet = false;
  std::vector<std::string> repeatable;  // the arguments, without what concerns one run alone, and without a length
};

// Reads the arguments after the verb. Empty if help was asked for, which it prints. Throws Error{kUsage}.
[[nodiscard]] std::optional<TrainCommand> parse_train_command(const std::vector<std::string>& arguments);

// The command line that repeats a run of minutes, whatever the speed of the machine.
[[nodiscard]] std::string repeating_command(const TrainCommand& command, const TrainPlan& plan);

}  // namespace unroll
