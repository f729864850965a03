#include "cli/verbs/auto_train.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/flags/field_flags.h"
#include "cli/streams/data_table.h"
#include "cli/streams/interrupt.h"
#include "cli/streams/quantities.h"
#include "unroll/auto_train.h"

namespace unroll {
namespace {

constexpr int kInterruptedSearch = 130;
constexpr std::size_t kMostShown = 12;  // trials of the last table

std::string score_words(const AutoTrial& trial) {
  if (!trial.score) return fmt::format("{:>9} {:>9}", "failed", "");
  const std::optional<double>& accuracy = trial.score->accuracy;
  return fmt::format("{:>9.4f} {:>9}", trial.score->nats, accuracy ? fmt::format("{:.2f}%", 100 * *accuracy) : "");
}

std::string settings_words(const AutoTrial& trial) {
  return trial.settings.empty() ? "as given" : as_flags(trial.settings);
}

std::string trial_row(const AutoTrial& trial) {
  const std::string length = trial.epochs ? fmt::format("{}", *trial.epochs) : "";
  return fmt::format("{:>5} {} {:>7} {:>8} {:>8.1f}  {}", trial.number, score_words(trial), length,
                     grouped(trial.steps), trial.seconds, settings_words(trial));
}

std::string trial_heading() {
  return fmt::format("{:>5} {:>9} {:>9} {:>7} {:>8} {:>8}  {}", "trial", "nats", "accuracy", "epochs", "steps",
                     "seconds", "settings");
}

// Options that repeat the run of a trial.
std::vector<std::pair<std::string, std::string>> repeated(const AutoTrial& trial) {
  std::vector<std::pair<std::string, std::string>> options = trial.settings;
  if (trial.epochs) options.emplace_back("epochs", fmt::format("{}", *trial.epochs));
  return options;
}

class SearchProgress {
 public:
  SearchProgress(const TrainCommand& command, Terminal& terminal) : command_(command), terminal_(terminal) {}

  [[nodiscard]] AutoTrainObserver observer() {
    AutoTrainObserver observer;
    observer.on_note = [this](std::string_view note) { terminal_.line(with_flags(note, present_verb())); };
    observer.on_data = [this](const DataReport& report) {
      for (const std::string& line : data_lines(report)) terminal_.line(line);
    };
    observer.on_step = [this](const AutoTrial& trial, const StepReport& report, std::int64_t steps) {
      if (!terminal_.live_due()) return;
      terminal_.live(
          fmt::format("trial {}  step {}/{}  {}  {}", trial.number, report.step, steps, best_, settings_words(trial)));
    };
    observer.on_trial = [this](const AutoTrial& trial, bool is_best) {
      if (!has_heading_) terminal_.line(trial_heading());
      has_heading_ = true;
      terminal_.line(trial_row(trial) + (is_best ? "  best" : ""));
      if (!trial.failure.empty()) terminal_.line("        " + with_flags(trial.failure, present_verb()));
      if (is_best) best_ = fmt::format("best {:.4f}, trial {}", trial.score->nats, trial.number);
    };
    observer.stop_requested = [] { return interrupt_requested(); };
    return observer;
  }

  void summary(const AutoTrainResult& result) {
    if (result.already_complete) {
      return terminal_.line(fmt::format("already complete: {}", command_.options.files.save));
    }
    if (!result.best) return terminal_.line("interrupted before any trial was finished: nothing is saved");
    const AutoTrial& best = result.trials[*result.best];
    if (result.trials.size() > 2) show_best(result);
    if (result.exhausted) terminal_.line("all settings were tried");
    if (result.interrupted) {
      terminal_.line(fmt::format("interrupted after {} trials: the best is saved, and --resume goes on",
                                 grouped(std::ssize(result.trials))));
    }
    terminal_.line(fmt::format("best     trial {} of {}, in {}", best.number, grouped(std::ssize(result.trials)),
                               people_seconds(result.seconds)));
    if (result.trials.size() > 1) {
      terminal_.line("note     the best of many scores is too good by chance: judge the model on other texts");
    }
    terminal_.line("repeat   " + repeating_command(command_, repeated(best)));
    terminal_.line("model    " + command_.options.files.save);
  }

 private:
  // The best trials, by what decides.
  void show_best(const AutoTrainResult& result) {
    std::vector<AutoTrial> trials = result.trials;
    std::erase_if(trials, [](const AutoTrial& trial) { return !trial.score; });
    const bool by_accuracy = command_.options.task.kind == TaskKind::kTag;
    std::ranges::stable_sort(trials, [&](const AutoTrial& a, const AutoTrial& b) {
      if (by_accuracy && a.score->accuracy != b.score->accuracy) return a.score->accuracy > b.score->accuracy;
      return a.score->nats < b.score->nats;
    });
    trials.resize(std::min(trials.size(), kMostShown));
    terminal_.line("the best of all:");
    for (const AutoTrial& trial : trials) terminal_.line(trial_row(trial));
  }

  const TrainCommand& command_;
  Terminal& terminal_;
  std::string best_;
  bool has_heading_ = false;
};

}  // namespace

int run_auto_train(const TrainCommand& command, Terminal& terminal) {
  SearchProgress progress(command, terminal);
  const AutoTrainResult result = auto_train(
      {.train = command.options, .minutes = *command.auto_minutes, .fixed = command.fixed}, progress.observer());
  progress.summary(result);
  return result.interrupted ? kInterruptedSearch : 0;
}

}  // namespace unroll
