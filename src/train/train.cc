// A run is planned, then run: resolve(asked) -> plan_run -> TrainingRun.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/file_claim.h"
#include "base/new_file.h"
#include "base/stopwatch.h"
#include "dist/collect.h"
#include "model/model_file.h"
#include "train/cached_text.h"
#include "train/memory_plan.h"
#include "train/minutes.h"
#include "train/resuming.h"
#include "train/run_files.h"
#include "train/run_plan.h"
#include "train/same_run.h"
#include "train/starting_vectors.h"
#include "train/task_text.h"
#include "train/training_run.h"
#include "train/training_text.h"
#include "train/transfer.h"
#include "unroll/train.h"

namespace unroll {
namespace {

// Starts a run that has not begun. Returns what was measured; empty if it was to stop before.
std::optional<MeasuredCost> begin(TrainingRun& run, const std::optional<MinutesPlan>& minutes, const StopQuery& stop) {
  constexpr double kMeasuring = 0.3;  // seconds
  const std::optional<MeasuredCost> cost = minutes ? minutes->cost : run.measure(kMeasuring, stop);
  if (!cost || stop()) return std::nullopt;
  run.begin(minutes ? minutes->steps : *planned_steps(run.plan()), save_interval(run.plan().save_every, *cost));
  return cost;
}

TrainPlan report(const TrainingRun& run, const RunPlan& plan, const TrainingText& text, const MeasuredCost& cost) {
  TrainPlan report{.config = plan.config,
                   .samples = plan.samples,
                   .precision = plan.precision,
                   .precision_reason = plan.precision_reason,
                   .parameters = parameter_count(plan.config),
                   .memory = plan.memory};
  report.memory_bytes = static_cast<std::int64_t>(total_bytes(plan.memory));
  report.flops_per_token = 6 * static_cast<double>(trained_products(plan));
  report.uniform_nats = std::log(static_cast<double>(output_count(plan.config)));
  report.train_tokens = plan.epoch.train_tokens;
  report.valid_tokens = plan.epoch.valid_tokens;
  report.valid_text_tokens = plan.epoch.valid_text_tokens;
  report.train_unknown_tokens = text.train_unknown;
  report.valid_unknown_tokens = text.valid_unknown;
  report.train_symbols = text.train_symbols();
  report.valid_symbols = text.valid_symbols();
  if (text.task) {
    report.task = text.task->task.kind;
    report.scheme = text.task->task.scheme;
    report.train_texts = static_cast<std::int64_t>(text.task->train.count());
    report.valid_texts = static_cast<std::int64_t>(text.task->valid.count());
  }
  report.batch_size = plan.batch_size;
  report.bptt = plan.bptt;
  report.bptt_jitter = plan.bptt_jitter;
  report.steps = run.position().steps;
  report.steps_per_epoch = plan.epoch.windows;
  report.validate_every = run.validate_every();
  report.save_every = run.position().save_every;
  report.first_step = run.position().step - (run.position().unvalidated ? 1 : 0);
  report.tokenizer = text.tokenizer.kind();
  report.seconds_per_step = cost.per_step;
  report.threads = run.threads();
  return report;
}

// What a step of several ranks costs, as the last one measured.
void add_ranks(const TrainingRun& run, const MeasuredCost& cost, const Ranks& ranks, TrainPlan& report) {
  report.replicas = run.plan().replicas;
  for (int rank = 0; rank < ranks.size(); ++rank) report.hosts.push_back(ranks.host(rank));
  if (ranks.size() == 1 || cost.per_step == 0) return;
  report.sent_bytes_per_step = run.sent_bytes();
  report.exchange_share = std::min(1.0, run.exchange_seconds() / cost.per_step);
}

StepReport report(const TrainPosition& position, const StepOutcome& outcome,
                  const std::optional<ValidationOutcome>& validation) {
  StepReport report{.step = position.step,
                    .tokens = position.tokens,
                    .nats_per_token = outcome.nats_per_token,
                    .lr = outcome.lr,
                    .grad_norm = outcome.grad_norm,
                    .tokens_per_s = outcome.tokens_per_s};
  if (validation) {
    report.valid_nats_per_token = validation->last.nats;
    report.valid_accuracy = validation->best_accuracy();
    if (validation->average) report.average_valid_nats_per_token = validation->average->nats;
  }
  return report;
}

void save(TrainingRun& run, const TrainObserver& observer, bool complete) {
  run.save(complete);
  if (observer.on_save) observer.on_save(run.position().step);
}

void show_weights(const TrainingRun& run, const TrainObserver& observer) {
  if (observer.on_weights) observer.on_weights(run.position().step, [&run] { return run.present(); });
}

// Makes the next step, or goes back to the one whose validation was stopped, and validates where that is due. False if
// it was to stop during validation.
bool advance(TrainingRun& run, const TrainObserver& observer, const StopQuery& stop) {
  const TrainPosition& position = run.position();
  const StepOutcome outcome = position.unvalidated ? *position.unvalidated : run.step();
  std::optional<ValidationOutcome> validation;
  if (run.validation_due()) {
    validation = run.validate(outcome, observer.on_validation, stop);
    if (!validation) return false;
  }
  run.note_history(outcome, validation);
  if (observer.on_step) observer.on_step(report(position, outcome, validation));
  show_weights(run, observer);
  return true;
}

// Steps until the end or until it is to stop. True when the end was reached.
bool run_to_end(TrainingRun& run, const TrainObserver& observer, const StopQuery& stop) {
  while (!run.finished()) {
    const bool advanced = advance(run, observer, stop);
    if (run.finished()) break;
    const bool stopped = !advanced || stop();
    const TrainPosition& position = run.position();
    if (stopped || position.step % position.save_every == 0) save(run, observer, false);
    if (stopped) return false;
  }
  save(run, observer, true);
  return true;
}

struct ClaimedRun {
  std::unique_ptr<const FileClaim> claim;
  EarlierRun earlier;
};

// Claims the path of the model, which rank 0 alone does, and finds what stands there.
ClaimedRun claimed_run(const FileOptions& files, Ranks& ranks) {
  ClaimedRun run;
  together(ranks, [&] {
    if (ranks.rank() > 0) return;
    run.claim = std::make_unique<const FileClaim>(files.save);
    remove_leftovers(checkpoint_path(files.save));
    expect_own_checkpoint(files);
  });
  together(ranks, [&] { run.earlier = find_earlier_run(files); });
  return run;
}

// A loss over many unknown tokens says how well one symbol is predicted that stands for all of them.
void note_unknown(const TrainingText& text, const TrainObserver& observer) {
  constexpr double kMostShare = 0.1;
  const auto note_part = [&](std::string_view what, std::string_view consequence, std::int64_t unknown,
                             std::int64_t tokens) {
    const double share = static_cast<double>(unknown) / static_cast<double>(std::max<std::int64_t>(1, tokens));
    if (share <= kMostShare) return;
    note(observer, fmt::format("WARNING: {:.1f}% of the {} is unknown to the vocabulary ({} of {} tokens): {}",
                               100 * share, what, unknown, tokens, consequence));
  };
  note_part("text to train on",
            "they are learned as one symbol; is it the text that `tokenizer.vocab_file`, "
            "`tokenizer.vocab_size`, `tokenizer.min_count` or `files.from` is meant for?",
            text.train_unknown, text.train_symbols());
  note_part("text to validate on",
            "its loss decides which weights are kept, and is mostly that of one symbol; give "
            "a `text.valid` of the kind of the text to train on, or a larger vocabulary",
            text.valid_unknown, text.valid_symbols());
}

TrainResult with_unknown(TrainResult result, const TrainingText& text) {
  result.train_unknown_tokens = text.train_unknown;
  result.valid_unknown_tokens = text.valid_unknown;
  return result;
}

struct SettledOptions {
  TrainOptions options;
  std::optional<MinutesPlan> minutes;  // of a run that begins
};

// The options as asked for, and of a run of minutes as it decided when it began, or decides now, `used` seconds after
// the call. Empty if it was to stop.
std::optional<SettledOptions> settle(const RunInputs& inputs, double used, const TrainObserver& observer,
                                     const StopQuery& stop) {
  if (inputs.resumed != nullptr) return SettledOptions{as_begun(inputs.options, *inputs.resumed), {}};
  if (!inputs.options.run.minutes) return SettledOptions{inputs.options, {}};
  std::optional<MinutesPlan> minutes = plan_minutes(inputs, used, observer, stop);
  if (!minutes) return std::nullopt;
  return SettledOptions{minutes->options, std::move(minutes)};
}

// One class for all texts is what a network learns first, and may be all that it learns.
void note_never_answered(const TrainingRun& run, const TrainObserver& observer) {
  if (!run.calibrated() || run.calibrated()->never_answered.empty()) return;
  note(observer, fmt::format("on the texts to validate on {}: more texts of these labels may help, a longer run, or "
                             "`task.class_weights` balanced",
                             run.calibrated()->never_answered));
}

// The path of the model to start from; empty: there is none.
const std::string& start_path(const TrainOptions& options) {
  return options.transfer.init.empty() ? options.files.from : options.transfer.init;
}

// What a task's network starts with.
void note_taken(const TrainingRun& run, const std::string& path, const TrainObserver& observer) {
  note(observer, fmt::format("'{}': {} tensors of {} are its own, the others start at random", path, run.taken(),
                             parameter_tensors(run.plan().config).size()));
}

void note_start(const TrainOptions& options, const Model* from, const TrainObserver& observer) {
  if (options.files.resume) {
    note(observer, fmt::format("nothing to resume at '{}' yet: starting from the beginning", options.files.save));
  }
  if (from != nullptr && from->precision() != Precision::kF32) {
    note(observer, fmt::format("'{}' is {}: training starts from its rounded weights and continues in f32",
                               start_path(options), precision_name(from->precision())));
  }
}

std::optional<Model> load_start(const TrainOptions& options) {
  if (start_path(options).empty()) return std::nullopt;
  std::optional<Model> model = Model::load(start_path(options));
  if (options.transfer.init.empty()) expect_language_model(*model);
  return model;
}

// Reads the text of a run; with the model to start from, null where there is none.
using TextReader = std::function<TrainingText(const Model* from)>;

// A call of train().
struct Call {
  const TrainObserver& observer;
  const StopQuery& stop;  // every rank asks at the same time, and all get the same answer
  Ranks& ranks;
  Stopwatch watch = {};
};

// Ranks would decide differently about what each of them measures.
void expect_ranks_for(const TrainOptions& options, Ranks& ranks) {
  if (ranks.size() == 1) return;
  if (ranks.size() > options.run.replicas) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} processes train together, and `run.replicas` is {}: expected at least one replica for "
                            "each; with another number of replicas it is another model, by rounding",
                            ranks.size(), options.run.replicas),
                "run.replicas");
  }
  if (options.run.minutes) {
    throw Error(ErrorCode::kUsage,
                "`run.minutes` is for one process: give `run.epochs` or `run.steps` where several train together",
                "run.minutes");
  }
}

// Trains one model, with resolved options.
TrainResult train_model(TrainOptions resolved, const TextReader& read, const Call& call) {
  const auto& [observer, stop, ranks, watch] = call;
  // What can be refused is refused before the text is read. But a run that waits for its text holds no lock, so that it
  // can be ended at any moment and leaves nothing behind.
  static_cast<void>(claimed_run(resolved.files, ranks));
  std::optional<Model> loaded;
  std::optional<TrainingText> text_read;
  together(ranks, [&] {
    loaded = load_start(resolved);
    text_read = read(loaded ? &*loaded : nullptr);
    if (!resolved.transfer.vectors.empty()) take_word_vectors(resolved, *text_read, observer);
  });
  const Model* const from = loaded ? &*loaded : nullptr;
  const TrainingText& text = *text_read;
  if (text.task) settle_dropout(resolved, text.task->train.count());
  if (stop()) return {.interrupted = true};
  auto [claim, earlier] = claimed_run(resolved.files, ranks);
  if (observer.on_data && text.task && text.task->report) observer.on_data(*text.task->report);
  note_unknown(text, observer);
  const std::optional<SettledOptions> settled =
      settle({resolved, text, from, earlier.options()}, watch.seconds(), observer, stop);
  if (!settled) return {.interrupted = true};
  const TrainOptions& options = settled->options;
  expect_same_processors(ranks);
  std::optional<RunPlan> planned;
  together(ranks, [&] {
    planned = plan_run({options, text, from, earlier.options()}, observer);
    if (earlier.options() != nullptr) expect_same_run(*planned, text.tokenizer, earlier, observer);
  });
  const RunPlan& plan = *planned;
  expect_same_everywhere(ranks, plan, earlier);
  if (earlier.finished) return with_unknown(result_of_finished(*earlier.finished), text);
  together(ranks, [&] { check_memory(plan.memory); });

  TrainingRun run(plan, text, from, ranks);
  std::optional<MeasuredCost> cost = MeasuredCost{};
  if (earlier.checkpoint) {
    run.resume(*earlier.checkpoint);
    earlier.checkpoint.reset();  // a file of its size is not to stay in memory
    note(observer,
         fmt::format("resuming '{}' after step {} of {}", plan.save, run.position().step, run.position().steps));
  } else {
    note_start(options, from, observer);
    if (text.task && from != nullptr) note_taken(run, start_path(options), observer);
    cost = begin(run, settled->minutes, stop);
    if (!cost) return {.interrupted = true};
  }
  if (observer.on_plan) {
    TrainPlan reported = report(run, plan, text, *cost);
    add_ranks(run, *cost, ranks, reported);
    if (options.run.minutes) reported.decided = decided_options(resolved, plan, options, run.position().steps);
    observer.on_plan(reported);
  }
  if (options.run.plan_only) return {.steps = run.position().step};
  if (!run.finished()) show_weights(run, observer);

  const bool complete = run_to_end(run, observer, stop);
  TrainResult result = with_unknown(result_at(run.position(), run.record()), text);
  result.interrupted = !complete;
  if (run.calibrated()) result.temperature = run.calibrated()->temperature;
  note_never_answered(run, observer);
  result.stopped_early = run.stopped_early();
  result.seconds = watch.seconds();
  return result;
}

// Trains the language model of transfer.unlabelled, or finds it trained.
TrainResult train_language_model(const TrainOptions& resolved, const Call& call) {
  const TrainOptions options = language_model_options(resolved);
  note(call.observer, fmt::format("first a language model of '{}' and of the texts to train on: '{}'",
                                  resolved.transfer.unlabelled, options.files.save));
  const TextReader read = [&](const Model*) { return read_unlabelled_text(resolved); };
  return train_model(options, read, call);
}

}  // namespace

TrainResult train(const TrainOptions& asked, const TrainObserver& observer) {
  return train_together(asked, observer, one_rank());
}

TrainResult train_together(const TrainOptions& asked, const TrainObserver& observer, Ranks& ranks) {
  TrainOptions options;
  together(ranks, [&] {
    options = resolve(with_cached_options(asked));
    expect_ranks_for(options, ranks);
    expect_files_apart(options);
  });
  expect_same_options(ranks, options);
  bool stopped = false;
  const StopQuery stop = [&] {
    stopped = stopped || any_of_ranks(ranks, observer.stop_requested && observer.stop_requested());
    return stopped;
  };
  const Call call{observer, stop, ranks};
  if (!options.transfer.unlabelled.empty()) {
    static_cast<void>(claimed_run(options.files, ranks));
    const TrainResult language = train_language_model(options, call);
    if (language.interrupted) return {.interrupted = true, .seconds = call.watch.seconds()};
    // A model that stands there began from another one, and a call with files.overwrite was stopped before it came to
    // it.
    if (!language.already_complete) options.files.overwrite = true;
    options.files.resume = options.files.resume && !options.files.overwrite;
    options.transfer.init = language_model_path(options.files.save);
    options.transfer.unlabelled.clear();
  }
  const TextReader read = [&](const Model* from) { return read_training_text(options, from); };
  return train_model(options, read, call);
}

}  // namespace unroll
