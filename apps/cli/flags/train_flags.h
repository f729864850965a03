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
};

// Reads the arguments after the verb. Empty if help was asked for, which it prints. Throws Error{kUsage}.
[[nodiscard]] std::optional<TrainCommand> parse_train_command(const std::vector<std::string>& arguments);

}  // namespace unroll
