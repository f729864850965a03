#include "train/resuming.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "base/file.h"
#include "base/quote.h"
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

[[noreturn]] void refuse_other_run(const std::string& path, const std::string& difference, std::string_view advice,
                                   std::string_view field) {
  throw Error(ErrorCode::kUsage,
              fmt::format("cannot resume '{}': {}; {}, or `files.overwrite` to start again", path, difference, advice),
              std::string(field));
}

// An option as a record names it; its field is empty where the record holds something else under this name.
TrainOption recorded_option(const std::string& name) {
  for (const DescribedOption& described : describe_all({})) {
    if (described.option.name == name) return described.option;
  }
  return {};
}

// Throws Error{kUsage} where a value of the earlier run differs from the one of this run.
void expect_same(const std::string& name, const std::string& before, const std::string& now, const std::string& path) {
  if (before == now) return;
  const TrainOption option = recorded_option(name);
  const std::string automatic = option.automatic ? fmt::format("{}", *option.automatic) : "";
  const auto shown = [&](const std::string& value) { return value == automatic ? "not set" : value; };
  // The split is recorded for both: whether there is a file of its own, and where the text is split without one.
  const bool of_file = name == "valid-split" && (before == kFromFile || now == kFromFile);
  const std::string_view field = of_file ? "text.valid" : option.field;
  const std::string difference =
      of_file ? fmt::format("`text.valid` is {} now and was {} when the run began",
                            now == kFromFile ? "set" : "not set", before == kFromFile ? "set" : "not set")
              : fmt::format("{} is {} now and was {} when the run began",
                            field.empty() ? "the " + name : fmt::format("`{}`", field), shown(now), shown(before));
  refuse_other_run(path, difference, field.empty() ? "give the same text" : "give the same options", field);
}

void expect_same_value(const NamedValues& saved, const NamedValues& now, const std::string& name,
                       const std::string& path) {
  const NamedValues defaults = option_defaults();
  const auto value_in = [&](const NamedValues& values) {
    return named_value(values, name).value_or(named_value(defaults, name).value_or("not set"));
  };
  expect_same(name, value_in(saved), value_in(now), path);
}

// Records of before did not name the model; but with one they left out what is said of the vocabulary.
void expect_same_start(const NamedValues& saved, const NamedValues& now, const std::string& path) {
  const auto start_of = [](const NamedValues& values) {
    const std::string unnamed = named_value(values, "vocab-size") ? "" : "a model";
    return named_value(values, std::string(kFrom)).value_or(unnamed);
  };
  const std::string before = start_of(saved);
  const std::string present = start_of(now);
  if (before == present || (before == "a model" && !present.empty())) return;
  const std::string_view field = named_value(now, "task") ? "transfer.init" : "files.from";
  const std::string difference =
      present.empty()  ? fmt::format("`{}` is not set now, and the run began from a model", field)
      : before.empty() ? fmt::format("`{}` is set now, and the run began from random weights", field)
                       : fmt::format(
                             "the model of `{}` has the checksum {} now, and the one from which the run "
                             "began had {}",
                             field, present, before);
  refuse_other_run(path, difference, present.empty() ? "give that model" : "give the same options", field);
}

void expect_same_vocabulary(const Tokenizer& before, const Tokenizer& now, const std::string& path) {
  constexpr std::string_view kAdvice = "give the same text and vocabulary";
  if (before.size() != now.size()) {
    refuse_other_run(
        path, fmt::format("the vocabulary has {} symbols now and had {} when the run began", now.size(), before.size()),
        kAdvice, "");
  }
  const auto [old_symbol, symbol] = std::ranges::mismatch(before.vocabulary(), now.vocabulary());
  if (symbol != now.vocabulary().end()) {
    refuse_other_run(path,
                     fmt::format("symbol {} of the vocabulary is {} now and was {} when the run began",
                                 symbol - now.vocabulary().begin(), quote(*symbol), quote(*old_symbol)),
                     kAdvice, "");
  }
  if (before.sentencepiece_model() == now.sentencepiece_model()) return;
  refuse_other_run(path, "the SentencePiece model is another than when the run began", kAdvice, "");
}

// First what was asked for, then text and vocabulary, then what follows from these.
void expect_same_options(const NamedValues& saved, const NamedValues& now, const Tokenizer& before,
                         const Tokenizer& tokenizer, const std::string& path) {
  expect_same_start(saved, now, path);
  const auto follows_from_text = [](std::string_view name) {
    return name == "batch-size" || name == "samples" || name == "cutoffs";
  };
  const auto is_of_text = [](std::string_view name) { return name == "vocabulary" || name == "text"; };
  NamedValues all = now;
  std::ranges::copy(option_defaults(), std::back_inserter(all));
  expect_same_value(saved, now, std::string(kVectors), path);
  for (const auto& [name, value] : all) {
    if (name != kFrom && !is_of_text(name) && !follows_from_text(name)) expect_same_value(saved, now, name, path);
  }
  expect_same_vocabulary(before, tokenizer, path);
  for (const auto& [name, value] : all) {
    if (is_of_text(name)) expect_same_value(saved, now, name, path);
  }
  for (const auto& [name, value] : all) {
    if (follows_from_text(name)) expect_same_value(saved, now, name, path);
  }
}

void expect_same_length(const RunPlan& plan, const TrainPosition& saved) {
  const std::string now = describe(plan.length);
  const std::optional<std::int64_t> planned = planned_steps(plan);
  if (planned ? *planned == saved.steps : now == saved.length) return;
  refuse_other_run(
      plan.save,
      fmt::format("its length is {} now, and the run began with {} ({} steps)", now, quote(saved.length), saved.steps),
      "give the same length", "run.steps");
}

void expect_same_finished_length(const RunPlan& plan, const NamedValues& saved, const TrainObserver& observer) {
  const std::string steps = named_value(saved, "steps").value_or("not set");
  if (const std::optional<std::int64_t> planned = planned_steps(plan)) {
    expect_same("steps", steps, fmt::format("{}", *planned), plan.save);
    return;
  }
  note(observer,
       fmt::format("'{}' is complete after {} steps, and no file says how many minutes were asked for: "
                   "`run.minutes` {} does not make it longer; `files.overwrite` starts again, and `files.from` "
                   "with another `files.save` continues from its weights",
                   plan.save, steps, plan.length.amount));
}

// A right checksum does not make numbers right.
void expect_position_of(const RunPlan& plan, const TrainPosition& position) {
  const bool averages = plan.average.kind != Average::kNone;
  const bool moving = plan.average.kind == Average::kEma;
  std::string_view wrong;
  if (position.best_step > 0 && plan.epoch.valid_tokens == 0) wrong = "best_step";
  if (position.unvalidated && plan.epoch.valid_tokens == 0) wrong = "unvalidated_nats";
  if (position.lr_divisor != 1 && plan.schedule != Schedule::kPlateau) wrong = "lr_divisor";
  if (averages ? moving && position.average_start != 0 : position.average_start >= 0) wrong = "average_start";
  if (wrong.empty()) return;
  throw Error(ErrorCode::kFormat, fmt::format("'{}' is damaged: its metadata '{}' is of another run than its options",
                                              checkpoint_path(plan.save), wrong));
}

void note_instruction_sets(const RunPlan& plan, const TrainPosition& saved, const TrainObserver& observer) {
  const std::string present = training_instruction_set();
  if (saved.instruction_sets.empty() || saved.instruction_sets == present) return;
  note(observer,
       fmt::format("'{}' was trained with {} so far and continues with {}: sums are rounded in another order, so "
                   "the result will have the bits of neither alone",
                   plan.save, quote(saved.instruction_sets), present));
}

}  // namespace

const NamedValues* EarlierRun::options() const noexcept {
  if (checkpoint) return &checkpoint->record().options;
  return finished ? &finished->training().options : nullptr;
}

const Tokenizer& EarlierRun::tokenizer() const { return checkpoint ? checkpoint->tokenizer() : finished->tokenizer(); }

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

void expect_same_run(const RunPlan& plan, const Tokenizer& tokenizer, const EarlierRun& earlier,
                     const TrainObserver& observer) {
  expect_same_options(*earlier.options(), plan.recorded, earlier.tokenizer(), tokenizer, plan.save);
  if (earlier.finished) return expect_same_finished_length(plan, *earlier.options(), observer);
  const TrainPosition& position = earlier.checkpoint->position();
  expect_same_length(plan, position);
  expect_position_of(plan, position);
  note_instruction_sets(plan, position, observer);
}

TrainResult result_at(const TrainPosition& position, const TrainingRecord& record) {
  TrainResult result{.steps = position.step, .tokens = position.tokens};
  if (!record.history.empty()) {
    result.nats_per_token = record.history.back().nats_per_token;
  } else if (position.predictions_since_point > 0) {
    result.nats_per_token = position.nats_since_point / static_cast<double>(position.predictions_since_point);
  }
  if (position.best_step > 0) result.best_valid_nats_per_token = position.best_nats;
  result.best_valid_accuracy = position.best_accuracy;
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
      position.best_accuracy = point.valid_accuracy;
    }
  }
  TrainResult result = result_at(position, model.training());
  result.already_complete = true;
  return result;
}

}  // namespace unroll
