#include "train/resuming.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/file.h"
#include "train/options.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kStartAgain = "give `files.overwrite` to start again, or another `files.save`";

Checkpoint load_checkpoint(const std::string& path) {
  try {
    return Checkpoint(path);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("cannot resume: {}; {}", error.what(), kStartAgain), "files.resume");
  }
}

// An option, or one of the other things that a record holds: the vocabulary, the text, the number of steps.
struct Recordable {
  std::string_view field;  // empty where it is no option
  std::string automatic;   // the value that leaves the choice to the trainer; empty where there is none
};

Recordable recordable(const std::string& name) {
  for (const DescribedOption& described : describe_all({})) {
    const TrainOption& option = described.option;
    if (option.name != name) continue;
    return {.field = option.field, .automatic = option.automatic ? fmt::format("{}", *option.automatic) : ""};
  }
  return {};
}

// Throws Error{kUsage} where a value of the earlier run differs from the one of this run.
void expect_same(const std::string& name, const std::string& before, const std::string& now, const std::string& path) {
  if (before == now) return;
  const Recordable what = recordable(name);
  const auto shown = [&](const std::string& value) { return value == what.automatic ? "not set" : value; };
  throw Error(ErrorCode::kUsage,
              fmt::format("cannot resume '{}': {} is {} now and was {} when the run began; give the same {}, or "
                          "`files.overwrite` to start again",
                          path, what.field.empty() ? "the " + name : fmt::format("`{}`", what.field), shown(now),
                          shown(before), what.field.empty() ? "text" : "options"),
              std::string(what.field));
}

// The same for all options, in the order in which they are named.
void expect_same_options(const NamedValues& saved, const NamedValues& now, const std::string& path) {
  const NamedValues defaults = option_defaults();
  for (const auto& [name, value] : now) {
    const std::string before = named_value(saved, name).value_or(named_value(defaults, name).value_or("not set"));
    expect_same(name, before, value, path);
  }
  for (const auto& [name, value] : defaults) {
    if (!named_value(now, name)) expect_same(name, named_value(saved, name).value_or(value), value, path);
  }
}

void expect_same_length(const RunPlan& plan, const TrainPosition& saved) {
  const std::string now = describe(plan.length);
  if (now == saved.length || planned_steps(plan) == saved.steps) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("cannot resume '{}': its length is {} now, and the run began with {} ({} steps); give the "
                          "same length, or `files.overwrite` to start again",
                          plan.save, now, saved.length, saved.steps),
              "run.steps");
}

}  // namespace

const NamedValues* EarlierRun::options() const noexcept {
  if (checkpoint) return &checkpoint->record().options;
  return finished ? &finished->training().options : nullptr;
}

EarlierRun find_earlier_run(const FileOptions& files) {
  if (files.overwrite) return {};
  const bool checkpoint = file_exists(checkpoint_path(files.save));
  const bool model = file_exists(files.save);
  if (!files.resume && (model || checkpoint)) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("'{}' exists: give `files.resume` to continue it, `files.overwrite` to replace it, or another "
                    "`files.save`",
                    model ? files.save : checkpoint_path(files.save)),
        "files.save");
  }
  EarlierRun earlier;
  if (checkpoint) earlier.checkpoint = load_checkpoint(checkpoint_path(files.save));
  if (checkpoint || !model) return earlier;
  earlier.finished = Model::load(files.save);
  if (earlier.finished->training().complete) return earlier;
  throw Error(
      ErrorCode::kUsage,
      fmt::format("cannot resume '{}': its run did not end, and '{}', which says how to continue, is missing; {}",
                  files.save, checkpoint_path(files.save), kStartAgain),
      "files.resume");
}

void expect_same_run(const RunPlan& plan, const EarlierRun& earlier) {
  expect_same_options(*earlier.options(), plan.recorded, plan.save);
  if (earlier.checkpoint) {
    expect_same_length(plan, earlier.checkpoint->position());
  } else if (const std::optional<std::int64_t> steps = planned_steps(plan)) {
    // How many steps so many minutes were is known to the finished run alone.
    expect_same("steps", named_value(*earlier.options(), "steps").value_or("not set"), fmt::format("{}", *steps),
                plan.save);
  }
}

TrainResult result_at(const TrainPosition& position, const TrainingRecord& record) {
  TrainResult result{.steps = position.step, .tokens = position.tokens};
  if (!record.history.empty()) {
    result.nats_per_token = record.history.back().nats_per_token;
  } else if (position.predictions_since_point > 0) {
    result.nats_per_token = position.nats_since_point / static_cast<double>(position.predictions_since_point);
  }
  if (position.best_step > 0) result.best_valid_nats_per_token = position.best_nats;
  result.best_step = position.best_step > 0 ? position.best_step : position.step;
  result.best_is_average = position.best_is_average;
  return result;
}

TrainResult result_of_finished(const Model& model) {
  TrainPosition position;
  for (const HistoryPoint& point : model.training().history) {
    position.step = point.step;
    position.tokens = point.tokens;
    const std::optional<double> valid = point.best_valid_nats_per_token();
    if (valid && (position.best_step == 0 || *valid < position.best_nats)) {
      position.best_step = point.step;
      position.best_nats = *valid;
      position.best_is_average = *valid < *point.valid_nats_per_token;
    }
  }
  TrainResult result = result_at(position, model.training());
  result.already_complete = true;
  return result;
}

}  // namespace unroll
