#include <fmt/core.h>

#include <string>
#include <vector>

#include "cli/flags/field_flags.h"
#include "cli/flags/train_flags.h"
#include "cli/streams/interrupt.h"
#include "cli/streams/terminal.h"
#include "cli/streams/train_progress.h"
#include "cli/streams/training_log.h"
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

}  // namespace

int run_train(const std::vector<std::string>& arguments) {
  const std::optional<TrainCommand> parsed = parse_train_command(arguments);
  if (!parsed) return 0;
  const TrainCommand& command = *parsed;
  Terminal terminal(command.quiet);
  if (!command.recipe.empty()) terminal.line("recipe   " + command.recipe);
  TrainProgress progress(&terminal);
  TrainingLog log(command.log);

  TrainObserver observer;
  observer.on_note = [&](std::string_view note) { terminal.line(with_flags(note, present_verb())); };
  observer.on_plan = [&](const TrainPlan& plan) {
    log.start(plan);
    progress.plan(plan);
    if (!plan.decided.empty()) terminal.line("repeat   " + repeating_command(command, plan));
  };
  observer.on_step = [&](const StepReport& report) {
    log.add(report);
    progress.step(report);
  };
  observer.on_validation = [&](std::int64_t done, std::int64_t total) { progress.validation(done, total); };
  observer.stop_requested = [&] { return interrupt_requested() || log.failure().has_value(); };

  catch_interrupts(command.quiet);
  const TrainResult result = train(command.options, observer);
  finish_log(log, result);
  progress.summary(result, command.options.files.save);
  return result.interrupted ? kInterrupted : 0;
}

}  // namespace unroll
