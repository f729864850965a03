#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "cli/sweeps/finished_runs.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/model.h"

namespace unroll {
namespace {

struct ResultsCommand {
  std::string folder;
  bool json = false;
  bool quiet = false;
};

std::optional<ResultsCommand> parse_results(const std::vector<std::string>& arguments) {
  ResultsCommand command;
  Flags flags("unroll results FOLDER [flags]",
              "Tabulates the models in a folder whose training is complete: the settings in which they differ, and the "
              "best loss on the validation text. Runs that differ in their seed alone are one row, with mean and "
              "range. The best row comes first.");
  flags.heading("Flags");
  flags.toggle({"--json", "", "one JSON object on one line, with every run and its options", ""}, &command.json);
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  flags.example("unroll results runs", "What came of a sweep.");
  flags.example("unroll results runs --json | jq .groups[0].settings", "The settings of the best row.");
  if (!flags.parse(arguments)) return std::nullopt;
  if (flags.positionals().size() != 1) throw Error(ErrorCode::kUsage, "expected one FOLDER");
  command.folder = flags.positionals().front();
  return command;
}

// By name, so that the order of the folder does not matter.
std::vector<std::string> model_paths(const std::string& folder) {
  constexpr std::string_view kEnding = ".safetensors";
  std::error_code error;
  std::filesystem::directory_iterator files(folder, error);
  if (error) throw Error(ErrorCode::kFile, fmt::format("cannot read the folder {}: {}", folder, error.message()));
  std::vector<std::string> paths;
  for (const std::filesystem::directory_entry& entry : files) {
    // A pipe would wait for somebody who writes.
    if (entry.path().string().ends_with(kEnding) && entry.is_regular_file(error))
      paths.push_back(entry.path().string());
  }
  std::ranges::sort(paths);
  return paths;
}

// Notes on files that are no models of ours: one that cannot be read does not hide the others.
std::vector<RunResult> read_results(const std::string& folder, Terminal& terminal) {
  std::vector<RunResult> results;
  for (const std::string& path : model_paths(folder)) {
    try {
      results.push_back(run_result(path, Model::load(path)));
    } catch (const Error& error) {
      terminal.line(fmt::format("left out: {}", error.what()));
    }
  }
  return results;
}

}  // namespace

int run_results(const std::vector<std::string>& arguments) {
  const std::optional<ResultsCommand> command = parse_results(arguments);
  if (!command) return 0;
  Terminal terminal(command->quiet);
  const std::vector<RunResult> results = read_results(command->folder, terminal);
  if (results.empty()) {
    throw Error(ErrorCode::kInput, fmt::format("there is no model in {}", escaped(command->folder)));
  }
  const std::vector<RunGroup> groups = group_runs(results);
  Output out;
  out.write(command->json ? json_line(results_json(results, groups)) : results_table(groups));
  out.flush();
  for (const RunResult& result : results) {
    if (!result.complete) {
      terminal.line(fmt::format("not complete: {}, step {}", escaped(result.path), result.steps));
    }
  }
  return 0;
}

}  // namespace unroll
