// A run is planned, then run: resolve(asked) -> plan_run -> TrainingRun.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/file.h"
#include "base/stopwatch.h"
#include "model/model_file.h"
#include "train/memory_plan.h"
#include "train/resuming.h"
#include "train/run_plan.h"
#include "train/training_run.h"
#include "train/training_text.h"
#include "unroll/train.h"

namespace unroll {
namespace {

double measuring_seconds(const RunLength& length) {
  constexpr double kMost = 1.5;
  return length.unit == RunLength::Unit::kMinutes ? std::min(kMost, 0.03 * 60 * length.amount) : 0.3;
}

// The steps that fit into the minutes asked for, `used` seconds after train() was called.
std::int64_t steps_of_minutes(const RunPlan& plan, const MeasuredCost& cost, double used) {
  // What is left for the end: the last save, and a machine that slows down a little.
  constexpr double kShare = 0.94;
  constexpr double kEnd = 0.2;
  const double left = kShare * 60 * plan.length.amount - kEnd - used;
  return steps_within(plan.epoch, cost, save_interval(plan.save_every, cost), std::max(0.0, left), kMostSteps);
}

// Measures, fixes the length of a run that starts now, and starts it.
MeasuredCost begin(TrainingRun& run, const RunPlan& plan, const Stopwatch& watch) {
  const MeasuredCost cost = run.measure(measuring_seconds(plan.length));
  const std::optional<std::int64_t> planned = planned_steps(plan);
  const std::int64_t steps = planned ? *planned : steps_of_minutes(plan, cost, watch.seconds());
  run.begin(steps, save_interval(plan.save_every, cost));
  return cost;
}

TrainPlan report(const TrainingRun& run, const RunPlan& plan, const MeasuredCost& cost) {
  TrainPlan report{.config = plan.config,
                   .samples = plan.samples,
                   .precision = plan.precision,
                   .precision_reason = plan.precision_reason,
                   .parameters = parameter_count(plan.config),
                   .memory = plan.memory};
  for (const MemoryItem& item : plan.memory) report.memory_bytes += item.bytes;
  report.flops_per_token = 6 * static_cast<double>(trained_products(plan));
  report.uniform_nats = std::log(static_cast<double>(plan.config.vocabulary));
  report.train_tokens = plan.epoch.train_tokens;
  report.valid_tokens = plan.epoch.valid_tokens;
  report.batch_size = plan.batch_size;
  report.bptt = plan.bptt;
  report.bptt_jitter = plan.bptt_jitter;
  report.steps = run.position().steps;
  report.steps_per_epoch = plan.epoch.windows;
  report.validate_every = run.validate_every();
  report.save_every = run.position().save_every;
  report.first_step = run.position().step;
  report.seconds_per_step = cost.per_step;
  report.threads = run.threads();
  return report;
}

StepReport report(const TrainPosition& position, const StepOutcome& outcome,
                  const std::optional<ValidationOutcome>& validation, double tokens_per_s) {
  StepReport report{.step = position.step,
                    .tokens = position.tokens,
                    .nats_per_token = outcome.nats_per_token,
                    .lr = outcome.lr,
                    .grad_norm = outcome.grad_norm,
                    .tokens_per_s = tokens_per_s};
  if (validation) {
    report.valid_nats_per_token = validation->nats;
    report.average_valid_nats_per_token = validation->average_nats;
  }
  return report;
}

// Steps until the end or until asked to stop. True when the end was reached.
bool run_to_end(TrainingRun& run, const TrainObserver& observer) {
  while (!run.finished()) {
    const Stopwatch watch;
    const StepOutcome outcome = run.step();
    const double tokens_per_s = static_cast<double>(outcome.predictions) / watch.seconds();
    std::optional<ValidationOutcome> validation;
    if (run.validation_due()) validation = run.validate(observer.on_validation);
    run.note_history(outcome, validation);
    const TrainPosition& position = run.position();
    if (observer.on_step) observer.on_step(report(position, outcome, validation, tokens_per_s));
    if (run.finished()) break;
    const bool stop = observer.stop_requested && observer.stop_requested();
    if (stop || position.step % position.save_every == 0) {
      run.save(false);
      if (observer.on_save) observer.on_save(position.step);
    }
    if (stop) return false;
  }
  run.save(true);
  remove_file(checkpoint_path(run.plan().save));
  if (observer.on_save) observer.on_save(run.position().step);
  return true;
}

void note_start(const TrainOptions& options, const Model* from, const TrainObserver& observer) {
  if (options.files.resume) {
    note(observer, fmt::format("nothing to resume at '{}' yet: starting from the beginning", options.files.save));
  }
  if (from != nullptr && from->precision() != Precision::kF32) {
    note(observer, fmt::format("'{}' is {}: training starts from its rounded weights and continues in f32",
                               options.files.from, precision_name(from->precision())));
  }
}

}  // namespace

TrainResult train(const TrainOptions& asked, const TrainObserver& observer) {
  const Stopwatch watch;
  const TrainOptions options = resolve(asked);
  const FileClaim claim(options.files.save);
  EarlierRun earlier = find_earlier_run(options.files);
  std::optional<Model> loaded;
  if (!options.files.from.empty()) loaded = Model::load(options.files.from);
  const Model* const from = loaded ? &*loaded : nullptr;
  const TrainingText text = read_training_text(options, from != nullptr ? &from->tokenizer() : nullptr);
  const RunPlan plan = plan_run({options, text, from, earlier.options()}, observer);
  if (earlier.options() != nullptr) expect_same_run(plan, earlier);
  if (earlier.finished) return result_of_finished(*earlier.finished);
  check_memory(plan.memory);

  TrainingRun run(plan, text, from != nullptr ? &from->data().weights.view() : nullptr);
  MeasuredCost cost;
  if (earlier.checkpoint) {
    run.resume(*earlier.checkpoint);
    earlier.checkpoint.reset();  // a file of its size is not to stay in memory
    note(observer,
         fmt::format("resuming '{}' after step {} of {}", plan.save, run.position().step, run.position().steps));
  } else {
    note_start(options, from, observer);
    cost = begin(run, plan, watch);
  }
  if (observer.on_plan) observer.on_plan(report(run, plan, cost));

  const bool complete = run_to_end(run, observer);
  TrainResult result = result_at(run.position(), run.record());
  result.interrupted = !complete;
  result.stopped_early = run.stopped_early();
  result.seconds = watch.seconds();
  return result;
}

}  // namespace unroll
