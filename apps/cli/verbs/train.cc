#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/flags/field_flags.h"
#include "cli/flags/train_flags.h"
#include "cli/streams/interrupt.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/auto_train.h"
#include "cli/verbs/train_ranks.h"
#include "cli/verbs/train_run.h"
#include "cli/verbs/verbs.h"
#include "draw/run_log.h"
#include "server/dashboard.h"
#include "unroll/error.h"
#include "unroll/ranks.h"
#include "unroll/train.h"

namespace unroll {
namespace {

// "model.fold3.safetensors": where the model that was trained without part 3 is saved.
std::string fold_path(const std::string& path, std::int64_t fold) {
  constexpr std::string_view kEnd = ".safetensors";
  const std::string stem = path.ends_with(kEnd) ? path.substr(0, path.size() - kEnd.size()) : path;
  return fmt::format("{}.fold{}{}", stem, fold, kEnd);
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
int train_folds(const TrainCommand& command, const TrainPlace& place) {
  std::vector<double> accuracies;
  for (std::int64_t fold = 1; fold <= command.options.task.folds; ++fold) {
    TrainCommand one = command;
    one.options.task.fold = fold;
    one.options.files.save = fold_path(command.options.files.save, fold);
    place.terminal.line(fmt::format("fold     {} of {}", fold, command.options.task.folds));
    TrainResult result;
    if (const int status = train_shown(one, place, result); status != 0) return status;
    if (result.best_valid_accuracy) accuracies.push_back(*result.best_valid_accuracy);
  }
  if (accuracies.size() > 1) place.terminal.line(folds_text(accuracies));
  return 0;
}

std::string run_name_of(const TrainCommand& command) {
  return std::filesystem::path(command.options.files.save).stem().string();
}

std::unique_ptr<Dashboard> open_dashboard(const TrainCommand& command, Terminal& terminal) {
  DashboardOptions options{.port = *command.dashboard_port, .name = run_name_of(command)};
  for (const std::string& log : command.beside) options.beside.push_back(read_run_log(log));
  auto dashboard = std::make_unique<Dashboard>(std::move(options));
  terminal.line("watch    " + dashboard->link());
  return dashboard;
}

int train_all(const TrainCommand& command, const TrainPlace& place) {
  const TaskOptions& task = command.options.task;
  if (task.folds > 0 && task.fold == 0) return train_folds(command, place);
  TrainResult result;
  return train_shown(command, place, result);
}

int train_with_dashboard(const TrainCommand& command, Terminal& terminal) {
  const std::unique_ptr<Dashboard> dashboard = open_dashboard(command, terminal);
  try {
    const int status = train_all(command, {terminal, one_rank(), dashboard.get()});
    if (status == 0) dashboard->end("");
    return status;
  } catch (const Error& error) {
    dashboard->end(message_for(error, present_verb()));
    throw;
  }
}

// What one process alone can do.
void expect_for_ranks(const TrainCommand& command, const Ranks& ranks) {
  if (ranks.size() == 1) return;
  const auto refuse = [](const char* flag, const char* why) {
    throw Error(ErrorCode::kUsage, fmt::format("{} is for one process: {}", flag, why));
  };
  if (command.auto_minutes) refuse("--auto", "start a search with unroll train, or several with unroll sweep");
  if (std::ranges::find(command.options.text.paths, "-") != command.options.text.paths.end()) {
    refuse("standard input", "give a file, which all of them read");
  }
  if (command.dashboard_port) refuse("--dashboard", "leave it out; --log FILE is what unroll report and draw show");
}

// Launchers bind processes to cores, often to a single one.
void note_few_cores(const TrainCommand& command, Ranks& ranks, int cores, Terminal& terminal) {
  const int threads = command.options.run.threads;
  if (threads <= cores) return;
  terminal.line(
      fmt::format("WARNING: --threads is {}, and rank {} on {} may use {} core{}: start the ranks with mpirun "
                  "--map-by slot:PE={} --bind-to core, or --bind-to none",
                  threads, ranks.rank(), ranks.host(ranks.rank()), cores, cores == 1 ? "" : "s", threads));
}

}  // namespace

int run_train_on(const std::vector<std::string>& arguments, Ranks& ranks, int cores) {
  std::optional<TrainCommand> command = parse_train_command(arguments);
  if (!command) return 0;
  expect_for_ranks(*command, ranks);
  Terminal warnings(command->quiet);
  note_few_cores(*command, ranks, cores, warnings);
  const bool talks = ranks.rank() == 0 && !command->quiet;
  if (ranks.rank() > 0) command->log.clear();
  Terminal terminal(!talks);
  if (!command->recipe.empty()) terminal.line("recipe   " + command->recipe);
  catch_interrupts(!talks);
  return train_all(*command, {terminal, ranks, nullptr});
}

int run_train(const std::vector<std::string>& arguments) {
  const std::optional<TrainCommand> parsed = parse_train_command(arguments);
  if (!parsed) return 0;
  const TrainCommand& command = *parsed;
  Terminal terminal(command.quiet);
  if (!command.recipe.empty()) terminal.line("recipe   " + command.recipe);
  catch_interrupts(command.quiet);
  if (command.auto_minutes) return run_auto_train(command, terminal);
  if (command.dashboard_port) return train_with_dashboard(command, terminal);
  return train_all(command, {terminal, one_rank(), nullptr});
}

}  // namespace unroll
