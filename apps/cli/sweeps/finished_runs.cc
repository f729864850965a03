#include "cli/sweeps/finished_runs.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/streams/escaped.h"
#include "json/json_text.h"
#include "unroll/task.h"

namespace unroll {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

// What describes a group: its options, without what differs between seeds.
Options without_seed(const RunResult& result) {
  Options options;
  std::ranges::copy_if(result.options, std::back_inserter(options),
                       [](const auto& one) { return one.first != "seed"; });
  options.emplace_back("task", result.task);
  return options;
}

// Names of options whose values are not the same in all groups, in the order of their first appearance.
std::vector<std::string> differing(const std::vector<Options>& groups) {
  std::vector<std::string> names;
  std::map<std::string, std::set<std::string>> values;
  std::map<std::string, std::size_t> counts;
  for (const Options& options : groups) {
    for (const auto& [name, value] : options) {
      if (!values.contains(name)) names.push_back(name);
      values[name].insert(value);
      ++counts[name];
    }
  }
  std::erase_if(names,
                [&](const std::string& name) { return values[name].size() == 1 && counts[name] == groups.size(); });
  return names;
}

std::string value_of(const Options& options, const std::string& name) {
  const auto found = std::ranges::find(options, name, [](const auto& one) { return one.first; });
  return found == options.end() ? "-" : found->second;
}

// Nothing unless every run has the number.
template <class Number>
std::optional<SeedSummary> summary(const std::vector<RunResult>& results, const std::vector<std::size_t>& runs,
                                   Number number) {
  SeedSummary sum{.least = std::numeric_limits<double>::infinity(), .most = -std::numeric_limits<double>::infinity()};
  for (const std::size_t run : runs) {
    const std::optional<double> one = number(results[run]);
    if (!one) return std::nullopt;
    sum.mean += *one;
    sum.least = std::min(sum.least, *one);
    sum.most = std::max(sum.most, *one);
  }
  sum.mean /= static_cast<double>(runs.size());
  return sum;
}

std::string shown(const std::optional<SeedSummary>& number, std::size_t runs, double times, int digits) {
  if (!number) return "-";
  const auto digits_of = [&](double value) { return fmt::format("{:.{}f}", times * value, digits); };
  if (runs == 1) return digits_of(number->mean);
  return fmt::format("{} ({} to {})", digits_of(number->mean), digits_of(number->least), digits_of(number->most));
}

// Rows whose first one is a heading, in columns as wide as needed.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}", row[i], widths[i] + 2);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

nlohmann::ordered_json json_of(const std::optional<SeedSummary>& number) {
  if (!number) return nullptr;
  return {{"mean", number->mean}, {"least", number->least}, {"most", number->most}};
}

nlohmann::ordered_json json_of(const Options& options) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [name, value] : options) object[name] = value;
  return object;
}

}  // namespace

RunResult run_result(const std::string& path, const Model& model) {
  const TrainingRecord& record = model.training();
  RunResult result{.path = path,
                   .task = std::string(task_name(model.task().kind)),
                   .options = record.options,
                   .complete = record.complete,
                   .steps = record.history.empty() ? 0 : record.history.back().step,
                   .loss = {},
                   .accuracy = {}};
  for (const HistoryPoint& point : record.history) {
    if (const std::optional<double> loss = point.best_valid_nats_per_token()) {
      result.loss = std::min(*loss, result.loss.value_or(*loss));
    }
    if (point.valid_accuracy) result.accuracy = std::max(*point.valid_accuracy, result.accuracy.value_or(0));
  }
  return result;
}

std::vector<RunGroup> group_runs(const std::vector<RunResult>& results) {
  std::vector<RunGroup> groups;
  std::vector<Options> described;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].complete) continue;
    const Options options = without_seed(results[i]);
    const auto known = static_cast<std::size_t>(std::ranges::find(described, options) - described.begin());
    if (known == groups.size()) {
      described.push_back(options);
      groups.emplace_back();
    }
    groups[known].runs.push_back(i);
  }
  const std::vector<std::string> names = differing(described);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    RunGroup& group = groups[g];
    for (const std::string& name : names) group.settings.emplace_back(name, value_of(described[g], name));
    group.loss = summary(results, group.runs, [](const RunResult& result) { return result.loss; });
    group.accuracy = summary(results, group.runs, [](const RunResult& result) { return result.accuracy; });
  }
  constexpr double kNone = std::numeric_limits<double>::infinity();
  std::ranges::stable_sort(groups, {}, [](const RunGroup& group) { return group.loss ? group.loss->mean : kNone; });
  return groups;
}

std::string results_table(const std::vector<RunGroup>& groups) {
  const bool has_labels = std::ranges::any_of(groups, [](const RunGroup& group) { return group.accuracy.has_value(); });
  std::vector<std::vector<std::string>> rows(1);
  if (groups.empty()) return "";
  for (const auto& [name, value] : groups.front().settings) rows.front().push_back(name);
  rows.front().insert(rows.front().end(), {"runs", "loss", "perplexity"});
  if (has_labels) rows.front().emplace_back("accuracy, %");
  for (const RunGroup& group : groups) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const auto& [name, value] : group.settings) row.push_back(escaped(value));
    row.push_back(fmt::format("{}", group.runs.size()));
    row.push_back(shown(group.loss, group.runs.size(), 1, 4));
    row.push_back(group.loss ? fmt::format("{:.2f}", std::exp(group.loss->mean)) : "-");
    if (has_labels) row.push_back(shown(group.accuracy, group.runs.size(), 100, 2));
  }
  return aligned(rows);
}

nlohmann::ordered_json results_json(const std::vector<RunResult>& results, const std::vector<RunGroup>& groups) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const RunGroup& group : groups) {
    nlohmann::ordered_json paths = nlohmann::ordered_json::array();
    for (const std::size_t run : group.runs) paths.push_back(results[run].path);
    list.push_back({{"settings", json_of(group.settings)},
                    {"models", std::move(paths)},
                    {"loss", json_of(group.loss)},
                    {"accuracy", json_of(group.accuracy)}});
  }
  nlohmann::ordered_json runs = nlohmann::ordered_json::array();
  for (const RunResult& result : results) {
    runs.push_back({{"model", result.path},
                    {"task", result.task},
                    {"complete", result.complete},
                    {"steps", result.steps},
                    {"loss", or_null(result.loss)},
                    {"accuracy", or_null(result.accuracy)},
                    {"options", json_of(result.options)}});
  }
  return {{"groups", std::move(list)}, {"runs", std::move(runs)}};
}

}  // namespace unroll
