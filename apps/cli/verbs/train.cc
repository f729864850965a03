#include <string>
#include <vector>

#include "cli/flags/field_flags.h"
#include "cli/flags/train_flags.h"
#include "cli/streams/interrupt.h"
#include "cli/streams/terminal.h"
#include "cli/streams/train_progress.h"
#include "cli/streams/training_log.h"
#include "cli/verbs/verbs.h"
#include "unroll/model.h"
#include "unroll/train.h"

namespace unroll {
namespace {

constexpr int kInterrupted = 130;

bool tokens_are_characters(const TrainOptions& options) {
  const TokenizerKind kind =
      options.files.from.empty() ? options.tokenizer.kind : Model::load(options.files.from).tokenizer().kind();
  return kind == TokenizerKind::kChar;
}

}  // namespace

int run_train(const std::vector<std::string>& arguments) {
  const std::optional<TrainCommand> parsed = parse_train_command(arguments);
  if (!parsed) return 0;
  const TrainCommand& command = *parsed;
  Terminal terminal(command.quiet);
  if (!command.recipe.empty()) terminal.line("recipe   " + command.recipe);
  TrainProgress progress(&terminal, tokens_are_characters(command.options));
  TrainingLog log(command.log);

  TrainObserver observer;
  observer.on_note = [&](std::string_view note) { terminal.line(with_flags(note, present_verb())); };
  observer.on_plan = [&](const TrainPlan& plan) {
    log.start(plan.first_step);
    progress.plan(plan);
  };
  observer.on_step = [&](const StepReport& report) {
    log.add(report);
    progress.step(report);
  };
  observer.on_validation = [&](std::int64_t done, std::int64_t total) { progress.validation(done, total); };
  observer.stop_requested = interrupt_requested;

  catch_interrupts(command.quiet);
  const TrainResult result = train(command.options, observer);
  progress.summary(result, command.options.files.save);
  return result.interrupted ? kInterrupted : 0;
}

}  // namespace unroll
