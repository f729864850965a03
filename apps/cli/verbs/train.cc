#include <fmt/core.h>

#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flags/field_flags.h"
#include "cli/flags/train_flags.h"
#include "cli/streams/data_table.h"
#include "cli/streams/interrupt.h"
#include "cli/streams/terminal.h"
#include "cli/streams/train_progress.h"
#include "cli/streams/training_log.h"
#include "cli/streams/training_samples.h"
#include "cli/verbs/auto_train.h"
#include "cli/verbs/verbs.h"
#include "unroll/error.h"
#include "unroll/train.h"

namespace unroll {
namespace {

constexpr int kInterrupted = 130;

// A log that cannot be written ends the run, which is saved before that is told.
void finish_log(TrainingLog& log, const TrainResult& result) {
  if (!log.failure()) return;
  const bool written = log.finish();
  if (written && !result.interrupted) return;
  const std::string saved =
      result.interrupted ? fmt::format("the run was saved after step {}, and --resume continues it", result.steps)
                         : "the run is complete and its model saved";
  throw Error(ErrorCode::kFile, fmt::format("{}; {}", log.failure()->what(), saved));
}

// "model.fold3.safetensors": where the model that was trained without part 3 is saved.
std::string fold_path(const std::string& path, std::int64_t fold) {
  constexpr std::string_view kEnd = ".safetensors";
  const std::string stem = path.ends_with(kEnd) ? path.substr(0, path.size() - kEnd.size()) : path;
  return fmt::format("{}.fold{}{}", stem, fold, kEnd);
}

int train_once(const TrainCommand& command, Terminal& terminal, TrainResult& result) {
  TrainProgress progress(&terminal);
  TrainingLog log(command.log);
  TrainingSamples samples(command.samples);

  TrainObserver observer;
  observer.on_note = [&](std::string_view note) { terminal.line(with_flags(note, present_verb())); };
  observer.on_data = [&](const DataReport& report) {
    for (const std::string& line : data_lines(report)) terminal.line(line);
  };
  observer.on_plan = [&](const TrainPlan& plan) {
    log.start(plan);
    progress.plan(plan);
    if (!plan.decided.empty()) terminal.line("repeat   " + repeating_command(command, plan));
  };
  observer.on_step = [&](const StepReport& report) {
    log.add(report);
    progress.step(report);
  };
  observer.on_weights = [&](std::int64_t step, const std::function<Model()>& present) {
    const std::optional<std::string> sample = samples.after(step, present);
    if (!sample) return;
    log.add_sample(step, *sample);
    progress.sample(step, *sample);
  };
  observer.on_validation = [&](std::int64_t done, std::int64_t total) { progress.validation(done, total); };
  observer.stop_requested = [&] { return interrupt_requested() || log.failure().has_value(); };

  result = train(command.options, observer);
  finish_log(log, result);
  progress.summary(result, command.options.files.save);
  return result.interrupted ? kInterrupted : 0;
}

// Mean and standard deviation of the folds.
std::string folds_text(const std::vector<double>& accuracies) {
  const auto n = static_cast<double>(accuracies.size());
  double sum = 0;
  for (const double accuracy : accuracies) sum += accuracy;
  double squares = 0;
  for (const double accuracy : accuracies) squares += (accuracy - sum / n) * (accuracy - sum / n);
  return fmt::format("folds    {}: accuracy {:.2f}%, standard deviation {:.2f} points", accuracies.size(),
                     100 * sum / n, 100 * std::sqrt(squares / (n - 1)));
}

// Trains once for each part that is held out.
int train_folds(const TrainCommand& command, Terminal& terminal) {
  std::vector<double> accuracies;
  for (std::int64_t fold = 1; fold <= command.options.task.folds; ++fold) {
    TrainCommand one = command;
    one.options.task.fold = fold;
    one.options.files.save = fold_path(command.options.files.save, fold);
    terminal.line(fmt::format("fold     {} of {}", fold, command.options.task.folds));
    TrainResult result;
    if (const int status = train_once(one, terminal, result); status != 0) return status;
    if (result.best_valid_accuracy) accuracies.push_back(*result.best_valid_accuracy);
  }
  if (accuracies.size() > 1) terminal.line(folds_text(accuracies));
  return 0;
}

}  // namespace

int run_train(const std::vector<std::string>& arguments) {
  const std::optional<TrainCommand> parsed = parse_train_command(arguments);
  if (!parsed) return 0;
  const TrainCommand& command = *parsed;
  Terminal terminal(command.quiet);
  if (!command.recipe.empty()) terminal.line("recipe   " + command.recipe);
  catch_interrupts(command.quiet);
  if (command.auto_minutes) return run_auto_train(command, terminal);
  if (command.options.task.folds > 0 && command.options.task.fold == 0) return train_folds(command, terminal);
  TrainResult result;
  return train_once(command, terminal, result);
}

}  // namespace unroll
