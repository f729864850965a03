#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/flags/shell_quoted.h"
#include "cli/flags/train_flags.h"
#include "cli/streams/output.h"
#include "cli/sweeps/sweep_file.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

struct SweepCommand {
  std::string path;
  std::optional<std::int64_t> run;  // from 1
  bool count = false;
  bool json = false;
};

std::optional<SweepCommand> parse_sweep_command(const std::vector<std::string>& arguments) {
  SweepCommand command;
  Flags flags("unroll sweep FILE.toml [--run I] [flags]",
              "Prints the training runs of a sweep, a command a line: of each combination of a grid, of a list, or of "
              "both. What runs them side by side is yours to choose: GNU parallel, xargs, a job array. A run that is "
              "repeated continues where it was, or ends at once if it is complete. The folder of the results is made.");
  flags.heading("Flags");
  flags.whole({"--run", "I", "train run number I of the sweep, counted from 1, instead", ""}, {1, kLargestCount},
              [&command](std::int64_t i) { command.run = i; });
  flags.toggle({"--count", "", "print the number of runs alone", ""}, &command.count);
  flags.toggle({"--json", "", "one JSON object per run", ""}, &command.json);
  flags.exclusive({"--run", "--count", "--json"});
  bool quiet = false;
  flags.toggle({"--quiet", "", "with --run as of train; else nothing to silence", ""}, &quiet);
  flags.example("unroll sweep lr.toml", "What would be run.");
  flags.example("unroll sweep lr.toml | parallel -j 4", "Four at a time on this machine.");
  flags.example("unroll sweep lr.toml --run $SLURM_ARRAY_TASK_ID", "One of them, in a job array.");
  flags.example("unroll results lr", "What came of them.");
  if (!flags.parse(arguments)) return std::nullopt;
  if (flags.positionals().size() != 1) {
    throw Error(ErrorCode::kUsage, "expected one FILE.toml; unroll sweep --help has an example");
  }
  command.path = flags.positionals().front();
  return command;
}

Sweep read_sweep(const std::string& path) {
  const std::string text = read_text(path);
  return parse_sweep(path, without_byte_order_mark({text, path}));
}

// Finds what is wrong with a run before any is started.
void check_run(const std::string& path, std::size_t number, const SweptRun& run) {
  try {
    static_cast<void>(parse_train_command(run.arguments));
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: run {} ({}): {}", path, number, run.name, error.what()));
  }
}

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(ErrorCode::kFile, fmt::format("cannot make the folder {}: {}", folder, error.message()));
}

std::string command_line(const SweptRun& run) {
  std::string line = "unroll train";
  for (const std::string& argument : run.arguments) line += ' ' + shell_quoted(argument);
  return line;
}

std::string shown_run(const SweepCommand& command, std::size_t number, const SweptRun& run) {
  if (!command.json) return command_line(run) + '\n';
  return json_line({{"run", number}, {"name", run.name}, {"arguments", run.arguments}, {"command", command_line(run)}});
}

int train_run(const SweepCommand& command, const Sweep& sweep, const std::vector<std::string>& arguments) {
  if (*command.run > std::ssize(sweep.runs)) {
    throw Error(ErrorCode::kUsage, fmt::format("--run takes a number from 1 to {}, the runs of {}: found {}",
                                               sweep.runs.size(), command.path, *command.run));
  }
  SweptRun run = sweep.runs[static_cast<std::size_t>(*command.run - 1)];
  check_run(command.path, static_cast<std::size_t>(*command.run), run);
  make_folder(sweep.folder);
  if (std::ranges::find(arguments, "--quiet") != arguments.end()) run.arguments.emplace_back("--quiet");
  return run_train(run.arguments);
}

}  // namespace

int run_sweep(const std::vector<std::string>& arguments) {
  const std::optional<SweepCommand> command = parse_sweep_command(arguments);
  if (!command) return 0;
  const Sweep sweep = read_sweep(command->path);
  if (command->run) return train_run(*command, sweep, arguments);
  Output out;
  if (command->count) {
    out.write(fmt::format("{}\n", sweep.runs.size()));
  } else {
    for (std::size_t i = 0; i < sweep.runs.size(); ++i) check_run(command->path, i + 1, sweep.runs[i]);
    make_folder(sweep.folder);
    for (std::size_t i = 0; i < sweep.runs.size(); ++i) out.write(shown_run(*command, i + 1, sweep.runs[i]));
  }
  out.flush();
  return 0;
}

}  // namespace unroll
