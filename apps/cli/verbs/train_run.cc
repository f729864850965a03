#include "cli/verbs/train_run.h"

#include <fmt/core.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/flags/field_flags.h"
#include "cli/streams/data_table.h"
#include "cli/streams/interrupt.h"
#include "cli/streams/train_progress.h"
#include "cli/streams/training_log.h"
#include "cli/streams/training_samples.h"
#include "draw/run_log.h"
#include "unroll/error.h"

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

// Where the reports of one call of train() go.
class TrainReports {
 public:
  TrainReports(const TrainCommand& command, const TrainPlace& place)
      : command_(command),
        terminal_(place.terminal),
        dashboard_(place.dashboard),
        progress_(&place.terminal),
        log_(command.options.run.plan_only ? "" : command.log),
        samples_(command.samples) {}

  [[nodiscard]] TrainObserver observer() {
    TrainObserver observer;
    observer.on_note = [this](std::string_view note) {
      const std::string words = with_flags(note, present_verb());
      terminal_.line(words);
      if (dashboard_ != nullptr) dashboard_->note(words);
    };
    observer.on_data = [this](const DataReport& report) {
      for (const std::string& line : data_lines(report)) terminal_.line(line);
    };
    observer.on_plan = [this](const TrainPlan& plan) { take(plan); };
    observer.on_step = [this](const StepReport& report) {
      log_.add(report);
      progress_.step(report);
      if (dashboard_ != nullptr) dashboard_->step(report);
    };
    observer.on_weights = [this](std::int64_t step, const std::function<Model()>& present) {
      if (const std::optional<std::string> sample = samples_.after(step, present)) take(step, *sample);
    };
    observer.on_validation = [this](std::int64_t done, std::int64_t total) { progress_.validation(done, total); };
    observer.stop_requested = [this] {
      return interrupt_requested() || log_.failure().has_value() ||
             (dashboard_ != nullptr && dashboard_->stop_requested());
    };
    return observer;
  }

  void finish(const TrainResult& result) {
    finish_log(log_, result);
    progress_.summary(result, command_.options.files.save);
  }

 private:
  void take(const TrainPlan& plan) {
    log_.start(plan);
    progress_.plan(plan);
    if (!plan.decided.empty()) terminal_.line("repeat   " + repeating_command(command_, plan));
    if (dashboard_ == nullptr) return;
    const bool has_log = !command_.log.empty() && command_.log != "-";
    if (plan.first_step > 0 && has_log) show_earlier();
    dashboard_->plan(plan);
  }

  // The log may have begun later than the run, or be a pipe.
  void show_earlier() {
    try {
      dashboard_->earlier(read_run_log(command_.log));
    } catch (const Error&) {
      dashboard_->note("the log has no step before those of this run");
    }
  }

  void take(std::int64_t step, const std::string& sample) {
    log_.add_sample(step, sample);
    progress_.sample(step, sample);
    if (dashboard_ != nullptr) dashboard_->sample(step, sample);
  }

  const TrainCommand& command_;
  Terminal& terminal_;
  Dashboard* dashboard_;
  TrainProgress progress_;
  TrainingLog log_;
  TrainingSamples samples_;
};

TrainResult train_part(const TrainCommand& command, const TrainPlace& place) {
  TrainReports reports(command, place);
  const TrainResult result = train_together(command.options, reports.observer(), place.ranks);
  if (!command.options.run.plan_only) reports.finish(result);
  return result;
}

// Whether a run that the page stopped is to go on.
bool continues(Terminal& terminal, Dashboard& dashboard) {
  if (interrupt_requested() || !dashboard.stop_requested()) return false;
  terminal.line("stopped  by its page, which continues it; Ctrl-C ends it here");
  tell_that_the_run_is_saved(true);
  const bool goes_on = dashboard.wait_for_continue([] { return interrupt_requested(); });
  tell_that_the_run_is_saved(false);
  return goes_on;
}

}  // namespace

int train_shown(const TrainCommand& command, const TrainPlace& place, TrainResult& result) {
  TrainCommand part = command;
  result = train_part(part, place);
  while (result.interrupted && place.dashboard != nullptr && continues(place.terminal, *place.dashboard)) {
    const bool saved = result.steps > 0 || !part.options.transfer.unlabelled.empty();
    part.options.files.resume = part.options.files.resume || saved;
    part.options.files.overwrite = part.options.files.overwrite && !saved;
    result = train_part(part, place);
  }
  return result.interrupted ? kInterrupted : 0;
}

}  // namespace unroll
