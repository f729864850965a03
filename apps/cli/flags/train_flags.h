// The flags of `train`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/sample_flags.h"
#include "unroll/train.h"

namespace unroll {

// What a command line of `train` asks for.
struct TrainCommand {
  TrainOptions options;
  SampleRequest samples;
  std::optional<std::int64_t> dashboard_port;  // 0: any free one; none: no dashboard
  std::vector<std::string> beside;             // logs of runs that it shows too
  std::string log;                             // path of the training log; empty: none
  std::string recipe;                  // the recipe's name and what it still decides, as flags; empty: there is none
  std::optional<double> auto_minutes;  // search settings for so long
  std::vector<std::string> fixed;      // fields that the command line or the recipe gives, which a search leaves alone
  bool quiet = false;
  std::vector<std::string> repeatable;  // the arguments, without what concerns one run alone, and without a length
};

// Reads the arguments after the verb. Empty if help was asked for, which it prints. Throws Error{kUsage}.
[[nodiscard]] std::optional<TrainCommand> parse_train_command(const std::vector<std::string>& arguments);

// The command line that repeats a run of minutes, whatever the speed of the machine.
[[nodiscard]] std::string repeating_command(const TrainCommand& command, const TrainPlan& plan);

// The same with options by their names and values.
[[nodiscard]] std::string repeating_command(const TrainCommand& command,
                                            const std::vector<std::pair<std::string, std::string>>& decided);

// Names and values of options as flags: "--lr 0.004 --tied".
[[nodiscard]] std::string as_flags(const std::vector<std::pair<std::string, std::string>>& options);

}  // namespace unroll
