// What came of the runs in a folder: models grouped by their settings, seeds side by side.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unroll/model.h"

namespace unroll {

// A trained model, or one whose training goes on or was stopped.
struct RunResult {
  std::string path;
  std::string task;                                          // "language", "classify"
  std::vector<std::pair<std::string, std::string>> options;  // of training, in their order
  bool complete = false;
  std::int64_t steps = 0;
  std::optional<double> loss;      // the best one on the validation text, nats per prediction
  std::optional<double> accuracy;  // the best one there, where answers are labels
};

[[nodiscard]] RunResult run_result(const std::string& path, const Model& model);

// The mean of a number over seeds, with its range.
struct SeedSummary {
  double mean = 0;
  double least = 0;
  double most = 0;
};

// Complete runs that differ in nothing but their seeds.
struct RunGroup {
  std::vector<std::pair<std::string, std::string>> settings;  // those that are not the same in all groups
  std::vector<std::size_t> runs;                              // places in the list of results
  std::optional<SeedSummary> loss;                            // where every run has one
  std::optional<SeedSummary> accuracy;
};

// The groups, the lowest mean loss first, those without a loss last.
[[nodiscard]] std::vector<RunGroup> group_runs(const std::vector<RunResult>& results);

// A row per group: the settings in which groups differ, number of runs, loss as mean and range, perplexity of the mean,
// accuracy where answers are labels. Empty without groups.
[[nodiscard]] std::string results_table(const std::vector<RunGroup>& groups);

[[nodiscard]] nlohmann::ordered_json results_json(const std::vector<RunResult>& results,
                                                  const std::vector<RunGroup>& groups);

}  // namespace unroll
