#include "model/task_metadata.h"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <vector>

#include "base/quote.h"
#include "unroll/error.h"
#include "unroll/judge/tag_scheme.h"

namespace unroll {
namespace {

[[noreturn]] void refuse_task(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kFormat, fmt::format("{} {}", where, what));
}

std::vector<std::string> strings_of(const JsonFields& fields, std::string_view key, const std::string& where) {
  std::vector<std::string> strings;
  if (!fields.has(key)) return strings;
  for (const Json& value : fields.array(key)) {
    if (!value.is_string()) refuse_task(where, fmt::format("has {} that is not a string in \"{}\"", value.dump(), key));
    strings.push_back(value.get<std::string>());
  }
  return strings;
}

std::vector<double> numbers_of(const JsonFields& fields, std::string_view key, const std::string& where) {
  std::vector<double> numbers;
  if (!fields.has(key)) return numbers;
  for (const Json& value : fields.array(key)) {
    const double number = value.is_number() ? value.get<double>() : NAN;
    if (!std::isfinite(number)) {
      refuse_task(where, fmt::format("has {} in \"{}\": expected a finite number", value.dump(), key));
    }
    numbers.push_back(number);
  }
  return numbers;
}

void expect_count(std::size_t present, std::int64_t expected, std::string_view key, const std::string& where) {
  if (static_cast<std::int64_t>(present) == expected) return;
  refuse_task(where, fmt::format("has {} \"{}\": its network needs {}", present, key, expected));
}

// Both lists, or neither, of `count` numbers.
void check_scaling(const std::vector<double>& shift, const std::vector<double>& factor, std::int64_t count,
                   std::string_view what, const std::string& where) {
  if (shift.empty() && factor.empty()) return;
  expect_count(shift.size(), count, fmt::format("{}_shift", what), where);
  expect_count(factor.size(), count, fmt::format("{}_factor", what), where);
  for (const double f : factor) {
    if (f == 0) refuse_task(where, fmt::format("has a \"{}_factor\" of 0", what));
  }
}

void expect_distinct(const std::vector<std::string>& names, std::string_view key, const std::string& where) {
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!name.empty() && seen.insert(name).second) continue;
    refuse_task(where, fmt::format("has {} {} in \"{}\"", name.empty() ? "an empty name" : "twice", quote(name), key));
  }
}

void check_factors(const Task& task, const NetworkConfig& config, const std::string& where) {
  if (task.factors.empty()) return;
  expect_count(task.factors.size(), config.outputs, "factors", where);
  if (task.kind != TaskKind::kClassify || task.multi_label) {
    refuse_task(where, "has \"factors\", which are for a task with one label a text");
  }
  for (const double f : task.factors) {
    if (!(f > 0)) refuse_task(where, fmt::format("has the factor {} in \"factors\"", f));
  }
}

bool is_tag_scheme(const std::string& name) {
  try {
    return parse_tag_scheme(name) != TagScheme::kNone;
  } catch (const Error&) {
    return false;
  }
}

// Whether a network has the outputs that the task needs.
bool fits(const Task& task, const NetworkConfig& config) {
  const bool per_text = config.readout != Readout::kSteps;
  switch (task.kind) {
    case TaskKind::kLanguage:
      return config.outputs == 0 && config.conditions == 0 && config.characters > 0;
    case TaskKind::kClassify:
      return config.outputs > 0 && per_text && config.loss == (task.multi_label ? Loss::kSigmoid : Loss::kSoftmax);
    case TaskKind::kTag:
      return config.outputs > 0 && !per_text && (config.loss == Loss::kSoftmax || config.loss == Loss::kCrf);
    case TaskKind::kConditional:
      return config.outputs == 0 && config.conditions > 0;
    case TaskKind::kRegress:
      return config.outputs > 0 && config.loss == Loss::kSquared;
  }
  return false;
}

void check_task(const Task& task, const NetworkConfig& config, const std::string& where) {
  if (!fits(task, config)) {
    refuse_task(where, fmt::format("is \"{}\", which needs other outputs than its network has", task_name(task.kind)));
  }
  expect_count(task.labels.size(), std::max(config.outputs, config.conditions), "labels", where);
  expect_distinct(task.labels, "labels", where);
  if (config.characters > 0 || !task.characters.empty()) {
    expect_count(task.characters.size() + 1, config.characters, "characters", where);
  }
  expect_distinct(task.characters, "characters", where);
  if (!task.scheme.empty() && !is_tag_scheme(task.scheme)) {
    refuse_task(where, fmt::format("has the scheme {}, which is unknown", quote(task.scheme)));
  }
  if (!(task.temperature > 0)) refuse_task(where, fmt::format("has the temperature {}", task.temperature));
  if (!task.thresholds.empty()) expect_count(task.thresholds.size(), config.outputs, "thresholds", where);
  check_factors(task, config, where);
  if (!task.inputs.empty()) expect_count(task.inputs.size(), config.embed, "inputs", where);
  check_scaling(task.input_shift, task.input_factor, config.embed, "input", where);
  check_scaling(task.output_shift, task.output_factor, config.outputs, "output", where);
}

}  // namespace

std::string task_metadata(const Task& task) {
  Json json = {{"kind", task_name(task.kind)}, {"labels", task.labels}};
  if (task.multi_label) json["multi_label"] = true;
  if (task.temperature != 1) json["temperature"] = task.temperature;
  if (!task.scheme.empty()) json["scheme"] = task.scheme;
  if (!task.column.empty()) json["column"] = task.column;
  if (!task.characters.empty()) json["characters"] = task.characters;
  if (!task.inputs.empty()) json["inputs"] = task.inputs;
  if (!task.targets.empty()) json["targets"] = task.targets;
  const auto add_numbers = [&json](const char* key, const std::vector<double>& numbers) {
    if (!numbers.empty()) json[key] = numbers;
  };
  add_numbers("thresholds", task.thresholds);
  add_numbers("factors", task.factors);
  add_numbers("input_shift", task.input_shift);
  add_numbers("input_factor", task.input_factor);
  add_numbers("output_shift", task.output_shift);
  add_numbers("output_factor", task.output_factor);
  return write_json(json);
}

Task task_from_metadata(const std::string& text, const NetworkConfig& config, const std::string& where) {
  constexpr std::int64_t kOtherValues = 64;
  const std::int64_t most_values =
      6 * config.outputs + config.conditions + config.characters + 3 * config.embed + kOtherValues;
  const Json json = parse_json(text, most_values, where);
  const JsonFields fields(json, where, {"kind", "labels"},
                          {"multi_label", "temperature", "scheme", "column", "characters", "thresholds", "factors",
                           "inputs", "targets", "input_shift", "input_factor", "output_shift", "output_factor"});
  Task task{.labels = strings_of(fields, "labels", where),
            .characters = strings_of(fields, "characters", where),
            .inputs = strings_of(fields, "inputs", where),
            .targets = strings_of(fields, "targets", where),
            .input_shift = numbers_of(fields, "input_shift", where),
            .input_factor = numbers_of(fields, "input_factor", where),
            .output_shift = numbers_of(fields, "output_shift", where),
            .output_factor = numbers_of(fields, "output_factor", where)};
  try {
    task.kind = parse_task(fields.string("kind"));
  } catch (const Error& error) {
    refuse_task(where, fmt::format("is invalid: {}", error.what()));
  }
  if (fields.has("multi_label")) task.multi_label = fields.boolean("multi_label");
  if (fields.has("temperature")) task.temperature = fields.number("temperature");
  if (fields.has("scheme")) task.scheme = fields.string("scheme");
  if (fields.has("column")) task.column = fields.string("column");
  task.thresholds = numbers_of(fields, "thresholds", where);
  task.factors = numbers_of(fields, "factors", where);
  check_task(task, config, where);
  return task;
}

}  // namespace unroll
