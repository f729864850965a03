#include "search/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/file_claim.h"
#include "search/rounds.h"
#include "search/settings_space.h"
#include "search/trial_log.h"
#include "train/options.h"
#include "train/resuming.h"
#include "train/run_files.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr double kMostOfFirst = 0.6;  // of the time, for the first trial; else there is no search
constexpr double kMargin = 1.05;      // a trial takes a little longer than was measured

// kStopped: somebody asked for it; kTooLong: there is no time for the trial.
enum class Ended { kFinished, kStopped, kTooLong };

struct RunTrial {
  Ended ended = Ended::kFinished;
  AutoTrial trial = {};
};

// Whether a score is better, of tags by accuracy first.
bool is_better(const TrialScore& a, const TrialScore& b, bool by_accuracy) {
  if (by_accuracy && a.accuracy != b.accuracy) return a.accuracy > b.accuracy;
  return a.nats < b.nats;
}

// Names and values of options in which `options` differ from `before`, but for files and the length. Where tokens are
// others, so are the defaults of a command line: what differs from those is named too, but for what is fixed.
NamedValues differences(const AutoTrainOptions& search, const TrainOptions& options) {
  const TrainOptions& before = search.train;
  const bool has_own_defaults = options.tokenizer.kind != before.tokenizer.kind;
  const std::vector<DescribedOption> old = describe_all(before);
  const std::vector<DescribedOption> defaults =
      describe_all(default_options(options.task.kind, options.task.input, options.tokenizer.kind));
  NamedValues values;
  std::size_t i = 0;
  for (auto& [option, value] : describe_all(options)) {
    const bool is_fixed = std::ranges::find(search.fixed, option.field) != search.fixed.end();
    const bool is_other = value != old[i].value || (has_own_defaults && !is_fixed && value != defaults[i].value);
    ++i;
    if (!is_other || option.field.starts_with("files.") || option.field == "run.epochs") continue;
    values.emplace_back(option.name, std::move(value));
  }
  return values;
}

class Search {
 public:
  Search(const AutoTrainOptions& options, const AutoTrainObserver& observer, const SearchWorld& world)
      : options_(options),
        observer_(observer),
        world_(world),
        axes_(setting_axes(options)),
        source_(axes_, options.train.run.seed),
        log_(trial_log_path(options.train.files.save), asked_values(options)),
        save_(options.train.files.save),
        given_(axes_.size()),
        has_length_(options.train.run.epochs || options.train.run.steps),
        budget_(60 * options.minutes) {}

  AutoTrainResult run() {
    claim_ = std::make_unique<const FileClaim>(save_);
    expect_own_checkpoint(options_.train.files);
    expect_own_files();
    if (!find_earlier()) return finished();
    if (is_long_) return run_for_minutes();
    const RunTrial first = first_trial();
    if (first.ended == Ended::kTooLong) return run_for_minutes();
    if (first.ended == Ended::kFinished) search(first.trial.seconds);
    return finished();
  }

 private:
  // What a search replaces is its own, or nothing.
  void expect_own_files() const {
    log_.expect_own();
    if (!file_exists(trial_path()) || is_model_file(trial_path())) return;
    throw Error(
        ErrorCode::kUsage,
        fmt::format("`files.save` {}: trials would replace '{}', which is not a model: move it, or give another "
                    "path",
                    save_, trial_path()),
        "files.save");
  }

  // False where an earlier call did everything. Reads its trials, and what they took.
  bool find_earlier() {
    const FileOptions& files = options_.train.files;
    if (files.overwrite) {
      log_.remove();
      return true;
    }
    if (files.resume && file_exists(save_) && log_.read()) {
      for (const LoggedTrial& logged : log_.trials()) take(described(logged));
      earlier_trials_ = std::ssize(result_.trials);
      return true;
    }
    const EarlierRun earlier = find_earlier_run(files);
    result_.already_complete = earlier.finished.has_value();
    is_long_ = earlier.checkpoint.has_value();
    return !result_.already_complete;
  }

  // A trial of the file, with its settings as names and values.
  AutoTrial described(const LoggedTrial& logged) {
    AutoTrial trial = logged.trial;
    trial.settings = differences(options_, with_choices(options_.train, axes_, logged.setting));
    return trial;
  }

  void take(const AutoTrial& trial) {
    const bool is_best =
        trial.score && (!result_.best || is_better(*trial.score, *result_.trials[*result_.best].score, by_accuracy()));
    if (is_best) result_.best = result_.trials.size();
    result_.trials.push_back(trial);
  }

  [[nodiscard]] bool by_accuracy() const { return options_.train.task.kind == TaskKind::kTag; }
  [[nodiscard]] double elapsed() const { return used_ + world_.seconds(); }
  [[nodiscard]] std::optional<std::int64_t> length(std::int64_t epochs) const {
    return has_length_ ? std::nullopt : std::optional(epochs);
  }
  [[nodiscard]] std::string trial_path() const { return save_ + ".trial"; }

  bool stop_requested() {
    if (!result_.interrupted && observer_.stop_requested && observer_.stop_requested()) result_.interrupted = true;
    return result_.interrupted;
  }

  [[nodiscard]] TrainOptions trial_options(const Setting& setting, std::optional<std::int64_t> epochs) const {
    TrainOptions options = with_choices(options_.train, axes_, setting);
    if (epochs) options.run.epochs = epochs;
    options.files.save = trial_path();
    options.files.resume = false;
    options.files.overwrite = true;
    return options;
  }

  // That of the given settings, which tells how many epochs are usual.
  RunTrial first_trial() {
    RunTrial run =
        log_.trials().empty() ? new_trial(given_, std::nullopt) : trial(given_, log_.trials().front().trial.epochs, 0);
    epochs_ = run.trial.epochs.value_or(1);
    return run;
  }

  // Trains, or takes what an earlier call trained. `expected` seconds are known before; 0: unknown.
  RunTrial trial(const Setting& setting, std::optional<std::int64_t> epochs, double expected) {
    if (const std::optional<AutoTrial> known = log_.find(setting, epochs)) {
      // So that what follows is decided as it was in the call that trained it.
      if (known->number <= earlier_trials_ && replayed_.insert(known->number).second) used_ += known->seconds;
      return {Ended::kFinished, *known};
    }
    if (elapsed() + kMargin * expected > budget_) return {Ended::kTooLong};
    return new_trial(setting, epochs);
  }

  RunTrial new_trial(const Setting& setting, std::optional<std::int64_t> epochs) {
    if (stop_requested()) return {Ended::kStopped};
    const bool is_first = result_.trials.empty();
    const TrainOptions options = trial_options(setting, epochs);
    RunTrial run{.trial = {.number = std::ssize(result_.trials) + 1,
                           .settings = differences(options_, options),
                           .epochs = epochs}};
    if (observer_.on_start) observer_.on_start(run.trial);
    const double start = world_.seconds();
    try {
      const TrainResult result = world_.train(options, trial_observer(run, is_first));
      if (result.interrupted && run.ended == Ended::kFinished) run.ended = Ended::kStopped;
      set_result(result, run.trial);
    } catch (const Error& error) {
      if (is_first || error.code() == ErrorCode::kFile) {
        remove_trial_files();
        throw;
      }
      run.trial.failure = error.what();
    }
    run.trial.seconds = world_.seconds() - start;
    if (run.ended == Ended::kFinished) keep(setting, run.trial);
    remove_trial_files();
    return run;
  }

  static void set_result(const TrainResult& result, AutoTrial& trial) {
    trial.steps = result.steps;
    if (result.interrupted) return;
    const std::optional<double> nats =
        result.temperature ? std::optional(result.temperature->nats_after) : result.best_valid_nats_per_token;
    if (!nats) throw Error(ErrorCode::kInput, "no texts are held out to compare settings on");
    trial.score = TrialScore{.nats = *nats, .accuracy = result.best_valid_accuracy};
  }

  // What a trial reports, and what ends it: somebody, or the time.
  TrainObserver trial_observer(RunTrial& run, bool is_first) {
    TrainObserver observer;
    auto steps = std::make_shared<std::int64_t>(0);
    observer.on_note = [this](std::string_view sentence) { note(sentence); };
    if (is_first && log_.trials().empty()) observer.on_data = observer_.on_data;
    observer.on_plan = [this, &run, is_first, steps](const TrainPlan& plan) {
      *steps = plan.steps;
      if (is_first && !has_length_) {
        run.trial.epochs = (plan.steps + plan.steps_per_epoch - 1) / std::max<std::int64_t>(1, plan.steps_per_epoch);
      }
      const double whole = plan.seconds_per_step * static_cast<double>(plan.steps);
      const double most = is_first ? kMostOfFirst * budget_ : budget_;
      if (elapsed() + whole > most) run.ended = Ended::kTooLong;
    };
    observer.on_step = [this, &run, steps](const StepReport& report) {
      if (observer_.on_step) observer_.on_step(run.trial, report, *steps);
    };
    observer.stop_requested = [this, &run] {
      if (elapsed() > budget_) run.ended = Ended::kTooLong;
      return run.ended != Ended::kFinished || stop_requested();
    };
    return observer;
  }

  void note(std::string_view sentence) {
    if (observer_.on_note && told_.insert(std::string(sentence)).second) observer_.on_note(sentence);
  }

  // The model of the best trial goes to its place first: a trial that is not in the file is made again.
  void keep(const Setting& setting, const AutoTrial& trial) {
    const std::optional<std::size_t> before = result_.best;
    take(trial);
    const bool is_best = result_.best != before;
    if (is_best) replace_file(save_, std::array<std::string_view, 1>{MappedFile(trial_path()).bytes()});
    log_.add({setting, trial});
    if (observer_.on_trial) observer_.on_trial(trial, is_best);
  }

  void remove_trial_files() const {
    TrainOptions options;
    options.files.save = trial_path();
    for (const std::string& path : written_files(options)) remove_file(path);
  }

  // Rounds of trials while there is time and there are settings.
  void search(double seconds_of_first) {
    const double seconds_per_epoch = std::max(seconds_of_first, 1e-3) / static_cast<double>(epochs_);
    while (!result_.interrupted) {
      const double left = (budget_ - elapsed()) / kMargin / (seconds_per_epoch * static_cast<double>(epochs_));
      const Rounds rounds = plan_rounds(left, epochs_, !has_length_);
      std::vector<Setting> settings;
      while (std::ssize(settings) < rounds.settings) {
        std::optional<Setting> next = source_.next();
        if (!next) break;
        settings.push_back(*std::move(next));
      }
      result_.exhausted = rounds.settings > 0 && settings.empty();
      if (settings.empty() || !halve(settings, rounds, seconds_per_epoch)) return;
    }
  }

  // A setting that takes part in a round, and what its last trial says.
  struct Entry {
    Setting setting;
    AutoTrial trial = {};
  };

  // The rounds of some settings. False if it was to stop, or the time is over.
  bool halve(const std::vector<Setting>& settings, const Rounds& rounds, double seconds_per_epoch) {
    std::vector<Entry> entries;
    for (const Setting& setting : settings) entries.push_back({setting});
    for (std::size_t round = 0; round < rounds.epochs.size(); ++round) {
      const std::int64_t epochs = rounds.epochs[round];
      if (round > 0) entries = best_third(std::move(entries), round == 1);
      std::vector<Entry> finished;
      for (Entry& entry : entries) {
        RunTrial run = trial(entry.setting, length(epochs), expected_seconds(entry.trial, epochs, seconds_per_epoch));
        if (run.ended == Ended::kStopped) return false;
        if (run.ended == Ended::kTooLong) continue;
        entry.trial = std::move(run.trial);
        finished.push_back(std::move(entry));
      }
      if (finished.empty()) return false;
      entries = std::move(finished);
    }
    return true;
  }

  static double expected_seconds(const AutoTrial& before, std::int64_t epochs, double seconds_per_epoch) {
    if (before.epochs && before.seconds > 0) {
      return before.seconds * static_cast<double>(epochs) / static_cast<double>(*before.epochs);
    }
    return seconds_per_epoch * static_cast<double>(epochs);
  }

  // The third of them that goes on, and the given settings with them.
  [[nodiscard]] std::vector<Entry> best_third(std::vector<Entry> entries, bool with_given) const {
    std::erase_if(entries, [](const Entry& entry) { return !entry.trial.score; });
    std::ranges::stable_sort(entries, [this](const Entry& a, const Entry& b) {
      return is_better(*a.trial.score, *b.trial.score, by_accuracy());
    });
    entries.resize((entries.size() + 2) / 3);
    if (with_given) entries.push_back({given_});
    return entries;
  }

  // One run with the given settings for what is left of the time; it saves and resumes by itself.
  AutoTrainResult run_for_minutes() {
    note(fmt::format("{} minutes do not pay for a search: one run with the given settings takes all of them",
                     options_.minutes));
    claim_.reset();
    TrainOptions options = options_.train;
    options.run.minutes = std::max(budget_ - elapsed(), 1.0) / 60;
    options.run.epochs.reset();
    options.run.steps.reset();
    RunTrial run{.trial = {.number = 1}};
    TrainObserver observer = trial_observer(run, false);
    auto steps = std::make_shared<std::int64_t>(0);
    observer.on_plan = [&run, steps](const TrainPlan& plan) {
      *steps = plan.steps;
      run.trial.settings = plan.decided;
    };
    observer.on_step = [&](const StepReport& report) {
      if (observer_.on_step) observer_.on_step(run.trial, report, *steps);
    };
    observer.stop_requested = [this] { return stop_requested(); };
    if (observer_.on_start) observer_.on_start(run.trial);
    const double start = world_.seconds();
    const TrainResult result = world_.train(options, observer);
    run.trial.seconds = world_.seconds() - start;
    set_result(result, run.trial);
    if (!result.interrupted) {
      take(run.trial);
      if (observer_.on_trial) observer_.on_trial(run.trial, true);
    }
    result_.interrupted = result.interrupted;
    result_.seconds = world_.seconds();
    return std::move(result_);
  }

  AutoTrainResult finished() {
    if (!result_.interrupted) log_.remove();
    result_.seconds = world_.seconds();
    return std::move(result_);
  }

  const AutoTrainOptions& options_;
  const AutoTrainObserver& observer_;
  const SearchWorld& world_;
  std::vector<SettingAxis> axes_;
  SettingSource source_;
  TrialLog log_;
  std::string save_;
  Setting given_;
  std::int64_t epochs_ = 1;  // E
  bool has_length_;
  double budget_;    // seconds
  double used_ = 0;  // by those trials of earlier calls that this one has come to
  std::int64_t earlier_trials_ = 0;
  std::set<std::int64_t> replayed_ = {};
  bool is_long_ = false;  // an earlier call began the one run that takes all of the time
  std::unique_ptr<const FileClaim> claim_ = {};
  std::set<std::string> told_ = {};
  AutoTrainResult result_ = {};
};

}  // namespace

AutoTrainResult search_settings(const AutoTrainOptions& options, const AutoTrainObserver& observer,
                                const SearchWorld& world) {
  return Search(options, observer, world).run();
}

}  // namespace unroll
