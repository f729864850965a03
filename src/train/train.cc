#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/file.h"
#include "model/model_file.h"
#include "train/checkpoint.h"
#include "train/options.h"
#include "train/plan.h"
#include "train/training_run.h"
#include "train/training_text.h"
#include "unroll/error.h"
#include "unroll/train.h"

namespace unroll {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// What an earlier call left at options.save: a run to go on with, or a model that is finished.
struct Found {
  std::optional<Checkpoint> checkpoint;
  std::optional<Model> finished;
};

Checkpoint load_checkpoint(const std::string& path) {
  try {
    return Checkpoint(path);
  } catch (const Error& error) {
    throw Error(error.code(),
                fmt::format("cannot resume: {}; give --overwrite to start again, or another --save", error.what()));
  }
}

Found look_for_files(const TrainOptions& options) {
  if (options.overwrite) return {};
  const bool checkpoint = file_exists(checkpoint_path(options.save));
  const bool model = file_exists(options.save);
  if (!options.resume && (model || checkpoint)) {
    throw Error(ErrorCode::kUsage,
                fmt::format("'{}' exists: give --resume to go on with it, --overwrite to replace it, or another --save",
                            model ? options.save : checkpoint_path(options.save)));
  }
  Found found;
  if (checkpoint) found.checkpoint = load_checkpoint(checkpoint_path(options.save));
  if (checkpoint || !model) return found;
  found.finished = Model::load(options.save);
  if (!found.finished->training().complete) {
    throw Error(ErrorCode::kUsage,
                fmt::format("cannot resume '{}': its run did not end, and '{}', which says how to go on, is not there; "
                            "give --overwrite to start again, or another --save",
                            options.save, checkpoint_path(options.save)));
  }
  return found;
}

// The options of the run that an earlier call left; null: this one begins.
const NamedValues* saved_options(const Found& found) {
  if (found.checkpoint) return &found.checkpoint->record().options;
  return found.finished ? &found.finished->training().options : nullptr;
}

void note(const TrainObserver& observer, const std::string& sentence) {
  if (observer.on_note) observer.on_note(sentence);
}

// The batch that the text can fill with two predictions a row at least.
std::int64_t fitting_batch(const TrainOptions& options, std::int64_t tokens, const TrainObserver& observer) {
  constexpr std::int64_t kLeast = 2;
  if (tokens < kLeast) {
    throw Error(ErrorCode::kInput,
                fmt::format("'{}' has {} token{} to train on: expected at least {}; give more text or a "
                            "smaller --valid-split",
                            options.texts.front(), tokens, tokens == 1 ? "" : "s", kLeast));
  }
  const std::int64_t fitting = std::min(options.batch_size, tokens / kLeast);
  if (fitting < options.batch_size) {
    note(observer, fmt::format("batch size {} -> {}: the text has {} tokens, and a row needs at least {}",
                               options.batch_size, fitting, tokens, kLeast));
  }
  return fitting;
}

NetworkConfig network_config(const TrainOptions& options, const TrainingText& text, const Model* from) {
  NetworkConfig config{.cell = options.cell,
                       .vocabulary = text.tokenizer.size(),
                       .embed = options.embed,
                       .hidden = options.hidden,
                       .layers = options.layers,
                       .tied = options.tied,
                       .residual = options.residual,
                       .layer_norm = options.layer_norm};
  if (options.softmax == Softmax::kAdaptive) {
    config.cutoffs = options.cutoffs.empty() ? default_cutoffs(config.vocabulary) : options.cutoffs;
  }
  if (from != nullptr) config = from->config();
  check(config);
  if (from != nullptr && options.softmax == Softmax::kAdaptive && config.cutoffs.empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--softmax is adaptive, and that of '{}' is full: with --from the network is as it is",
                            options.from));
  }
  if (options.softmax == Softmax::kSampled && !config.cutoffs.empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--softmax sampled is for a full softmax: that of '{}' is adaptive", options.from));
  }
  return config;
}

// The softmax of that network, and how many symbols it draws.
void fit_softmax(const NetworkConfig& config, TrainOptions& options) {
  if (!config.cutoffs.empty()) options.softmax = Softmax::kAdaptive;
  if (options.softmax != Softmax::kSampled) return;
  constexpr std::int64_t kMostByDefault = 8192;
  const std::int64_t V = config.vocabulary;
  if (options.samples == 0) options.samples = std::clamp<std::int64_t>(V / 10, 1, kMostByDefault);
  if (options.samples >= 1 && options.samples <= V / 2) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("--samples is {}: expected 1 to {}, half of the vocabulary; a full softmax is for more",
                          options.samples, V / 2));
}

void note_order_of_symbols(Softmax softmax, TokenizerKind kind, const TrainObserver& observer) {
  if (softmax == Softmax::kFull || (kind != TokenizerKind::kChar && kind != TokenizerKind::kByte)) return;
  note(observer, fmt::format("--softmax {} takes the first symbols for the frequent ones; those of a vocabulary of "
                             "{}s are in no such order",
                             softmax_name(softmax), tokenizer_kind_name(kind)));
}

// All that decides the result: what a resumed run must have in common with the one that was interrupted.
NamedValues all_options(const TrainOptions& options, const NetworkConfig& config, const TrainingText& text) {
  NamedValues values{{"tokenizer", std::string(tokenizer_kind_name(text.tokenizer.kind()))},
                     {"lowercase", fmt::format("{}", text.tokenizer.lowercase())}};
  if (options.from.empty()) {
    values.emplace_back("vocab-size", fmt::format("{}", options.tokenizer.vocab_size));
    values.emplace_back("min-count", fmt::format("{}", options.tokenizer.min_count));
  }
  const double split = options.valid.empty() ? options.valid_split : 0;
  values.emplace_back("valid-split", options.valid.empty() ? fmt::format("{}", split) : "from a file");
  for (auto& named : describe(options, config)) values.push_back(std::move(named));
  values.emplace_back("vocabulary", fmt::format("{}", text.tokenizer.size()));
  values.emplace_back("text", text.fingerprint);
  return values;
}

// Throws Error{kUsage} where an option of a saved run differs from what was asked for now.
void expect_same(const std::string& name, const std::string& before, const std::string& now, const std::string& path) {
  if (before == now) return;
  const bool is_flag = name != "text" && name != "vocabulary";
  const auto shown = [&](const std::string& value) {
    const bool automatic = (name == "warmup" && value == "-1") ||
                           ((name == "validate-every" || name == "patience" || name == "samples") && value == "0");
    return automatic ? "not set" : value;
  };
  throw Error(
      ErrorCode::kUsage,
      fmt::format("cannot resume '{}': {}{} is {} now and was {} when the run began; give the same {}, or "
                  "--overwrite to start again",
                  path, is_flag ? "--" : "the ", name, shown(now), shown(before), is_flag ? "options" : "text"));
}

// The same for all options, in the order in which they are named.
void expect_same(const NamedValues& saved, const NamedValues& now, const std::string& path) {
  const NamedValues unnamed = meant_where_unnamed();
  for (const auto& [name, value] : now) {
    const std::string before = named_value(saved, name).value_or(named_value(unnamed, name).value_or("not set"));
    expect_same(name, before, value, path);
  }
  for (const auto& [name, value] : unnamed) {
    if (!named_value(now, name)) expect_same(name, named_value(saved, name).value_or(value), value, path);
  }
}

std::int64_t save_interval(const TrainOptions& options, const MeasuredCost& cost) {
  constexpr double kSeconds = 30;
  if (options.save_every > 0) return options.save_every;
  return std::max<std::int64_t>(1, std::llround(kSeconds / std::max(1e-6, cost.per_step)));
}

// Decides the length of a run that begins now. `used` are the seconds since train() was called.
std::int64_t run_steps(const TrainOptions& options, const EpochShape& epoch, const MeasuredCost& cost, double used) {
  if (options.steps) return *options.steps;
  if (options.epochs && *options.epochs > kMostSteps / epoch.windows) {
    throw Error(ErrorCode::kUsage, fmt::format("--epochs {} are more than {} steps, {} each: give fewer",
                                               *options.epochs, kMostSteps, epoch.windows));
  }
  if (options.epochs) return *options.epochs * epoch.windows;
  // What is left for the end: the last save, and a machine that slows down a little.
  constexpr double kShare = 0.94;
  constexpr double kEnd = 0.2;
  const double left = kShare * 60 * options.minutes.value_or(0) - kEnd - used;
  return std::min(kMostSteps, steps_within(epoch, cost, save_interval(options, cost), std::max(0.0, left)));
}

double measuring_seconds(const TrainOptions& options) {
  constexpr double kMost = 1.5;
  return options.minutes ? std::min(kMost, 0.03 * 60 * *options.minutes) : 0.3;
}

TrainPlan make_plan(const TrainingRun& run, const TrainOptions& options, const std::string& precision_reason,
                    const NetworkConfig& config, const TrainingText& text, const MeasuredCost& cost) {
  TrainPlan plan{.config = config,
                 .precision = options.precision.value_or(Precision::kF32),
                 .precision_reason = precision_reason,
                 .parameters = parameter_count(config)};
  const auto tokens = static_cast<std::int64_t>(text.train.size());
  const auto valid_tokens = static_cast<std::int64_t>(text.valid.size());
  plan.memory = memory_plan(config, options, tokens + valid_tokens, valid_tokens > 0);
  for (const MemoryItem& item : plan.memory) plan.memory_bytes += item.bytes;
  plan.samples = options.samples;
  plan.flops_per_token = 6 * static_cast<double>(trained_products(config, options));
  plan.uniform_nats = std::log(static_cast<double>(config.vocabulary));
  plan.train_tokens = tokens;
  plan.valid_tokens = valid_tokens;
  plan.batch_size = options.batch_size;
  plan.bptt = options.bptt;
  plan.bptt_jitter = options.bptt_jitter;
  plan.steps = run.position().steps;
  plan.steps_per_epoch = run.epoch().windows;
  plan.validate_every = run.validate_every();
  plan.save_every = run.position().save_every;
  plan.first_step = run.position().step;
  plan.seconds_per_step = cost.per_step;
  plan.threads = run.threads();
  return plan;
}

// Steps until the end or until asked to stop. True when the end was reached.
bool run_to_end(TrainingRun& run, const TrainObserver& observer) {
  while (!run.finished()) {
    const Clock::time_point before = Clock::now();
    const StepOutcome outcome = run.step();
    const double tokens_per_s = static_cast<double>(outcome.predictions) / seconds_since(before);
    std::optional<ValidationOutcome> validation;
    if (run.validation_due()) validation = run.validate(observer.on_validation);
    run.note_history(outcome, validation);
    const std::int64_t step = run.position().step;
    if (observer.on_step) {
      StepReport report{.step = step,
                        .tokens = run.position().tokens,
                        .nats_per_token = outcome.nats_per_token,
                        .lr = outcome.lr,
                        .grad_norm = outcome.grad_norm,
                        .tokens_per_s = tokens_per_s};
      if (validation) {
        report.valid_nats_per_token = validation->nats;
        report.average_valid_nats_per_token = validation->average_nats;
      }
      observer.on_step(report);
    }
    if (run.finished()) break;
    const bool stop = observer.stop_requested && observer.stop_requested();
    if (stop || step % run.position().save_every == 0) {
      run.save(false);
      if (observer.on_save) observer.on_save(step);
    }
    if (stop) return false;
  }
  return true;
}

TrainResult make_result(const TrainPosition& position, const TrainingRecord& record) {
  TrainResult result{.steps = position.step, .tokens = position.tokens};
  if (!record.history.empty()) {
    result.nats_per_token = record.history.back().nats_per_token;
  } else if (position.predictions_since_point > 0) {
    result.nats_per_token = position.nats_since_point / static_cast<double>(position.predictions_since_point);
  }
  if (position.best_step > 0) result.best_valid_nats_per_token = position.best_nats;
  result.best_step = position.best_step > 0 ? position.best_step : position.step;
  result.best_is_average = position.best_is_average;
  return result;
}

// The result of a run that an earlier call finished, told by its model.
TrainResult finished_before(const Model& model) {
  TrainPosition position;
  for (const HistoryPoint& point : model.training().history) {
    position.step = point.step;
    position.tokens = point.tokens;
    const std::optional<double> valid = point.best_valid_nats_per_token();
    if (valid && (position.best_step == 0 || *valid < position.best_nats)) {
      position.best_step = point.step;
      position.best_nats = *valid;
      position.best_is_average = *valid < *point.valid_nats_per_token;
    }
  }
  TrainResult result = make_result(position, model.training());
  result.already_complete = true;
  return result;
}

void expect_same_length(const TrainOptions& options, const TrainPosition& saved, const EpochShape& epoch) {
  const std::string now = describe_length(options);
  if (now == saved.length) return;
  const bool same_steps = (options.steps && *options.steps == saved.steps) ||
                          (options.epochs && *options.epochs * epoch.windows == saved.steps);
  if (same_steps) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("cannot resume '{}': --{} now, and the run began with --{} ({} steps); give "
                          "the same length, or --overwrite to start again",
                          options.save, now, saved.length, saved.steps));
}

void expect_same_finished_length(const TrainOptions& options, const NamedValues& saved, std::int64_t windows) {
  if (options.minutes) return;  // how many steps those were is known to the finished run alone
  const std::int64_t steps = options.steps ? *options.steps : *options.epochs * windows;
  expect_same("steps", named_value(saved, "steps").value_or("not set"), fmt::format("{}", steps), options.save);
}

}  // namespace

TrainResult train(const TrainOptions& asked, const TrainObserver& observer) {
  const Clock::time_point start = Clock::now();
  TrainOptions options = resolve(asked);
  const FileClaim claim(options.save);
  Found found = look_for_files(options);
  const ChosenPrecision precision = choose_precision(options.precision, saved_options(found));
  options.precision = precision.precision;
  std::optional<Model> from;
  if (!options.from.empty()) from = Model::load(options.from);
  const TrainingText text = read_training_text(options, from ? &from->tokenizer() : nullptr);
  const NetworkConfig config = network_config(options, text, from ? &*from : nullptr);
  fit_softmax(config, options);
  note_order_of_symbols(options.softmax, text.tokenizer.kind(), observer);
  options.batch_size = fitting_batch(options, static_cast<std::int64_t>(text.train.size()), observer);
  const NamedValues values = all_options(options, config, text);

  if (found.finished) {
    const Model& model = *found.finished;
    expect_same(model.training().options, values, options.save);
    const auto row = (static_cast<std::int64_t>(text.train.size()) + options.batch_size - 1) / options.batch_size;
    expect_same_finished_length(options, model.training().options, (row + options.bptt - 1) / options.bptt);
    return finished_before(model);
  }
  check_memory(memory_plan(config, options, static_cast<std::int64_t>(text.train.size() + text.valid.size()),
                           !text.valid.empty()));

  TrainingRun run(options, config, text, from ? &from->data().weights.view() : nullptr);
  MeasuredCost cost;
  if (found.checkpoint) {
    expect_same(found.checkpoint->record().options, values, options.save);
    expect_same_length(options, found.checkpoint->position(), run.epoch());
    run.resume(*found.checkpoint);
    found.checkpoint.reset();  // a file of its size is not to stay in memory
    note(observer,
         fmt::format("resuming '{}' after step {} of {}", options.save, run.position().step, run.position().steps));
  } else {
    if (options.resume)
      note(observer, fmt::format("nothing to resume at '{}' yet: starting from the beginning", options.save));
    if (from && from->precision() != Precision::kF32) {
      note(observer, fmt::format("'{}' is {}: training starts from its rounded weights and goes on in f32",
                                 options.from, precision_name(from->precision())));
    }
    cost = run.measure(measuring_seconds(options));
    const std::int64_t steps = run_steps(options, run.epoch(), cost, seconds_since(start));
    TrainingRecord record{.options = values, .history = {}, .complete = false};
    record.options.emplace_back("steps", fmt::format("{}", steps));
    run.begin(steps, save_interval(options, cost), describe_length(options), std::move(record));
  }
  if (observer.on_plan) observer.on_plan(make_plan(run, options, precision.reason, config, text, cost));

  const bool complete = run_to_end(run, observer);
  if (complete) {
    run.save(true);
    remove_file(checkpoint_path(options.save));
    if (observer.on_save) observer.on_save(run.position().step);
  }
  TrainResult result = make_result(run.position(), run.record());
  result.interrupted = !complete;
  result.stopped_early = run.stopped_early();
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace unroll
