#include "train/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/names.h"
#include "kernels/processor.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view name(Optimizer optimizer) noexcept {
  switch (optimizer) {
    case Optimizer::kSgd:
      return "sgd";
    case Optimizer::kAdam:
      return "adam";
  }
  return {};
}

constexpr std::string_view name(Schedule schedule) noexcept {
  switch (schedule) {
    case Schedule::kConstant:
      return "constant";
    case Schedule::kCosine:
      return "cosine";
    case Schedule::kLinear:
      return "linear";
    case Schedule::kPlateau:
      return "plateau";
    case Schedule::kStep:
      return "step";
  }
  return {};
}

constexpr std::string_view name(Average average) noexcept {
  switch (average) {
    case Average::kNone:
      return "none";
    case Average::kEma:
      return "ema";
    case Average::kTriggered:
      return "triggered";
  }
  return {};
}

constexpr std::string_view name(Softmax softmax) noexcept {
  switch (softmax) {
    case Softmax::kFull:
      return "full";
    case Softmax::kAdaptive:
      return "adaptive";
    case Softmax::kSampled:
      return "sampled";
  }
  return {};
}

constexpr std::string_view name(Init init) noexcept {
  switch (init) {
    case Init::kUniform:
      return "uniform";
    case Init::kIdentity:
      return "identity";
  }
  return {};
}

// The expectation is worded for both integers and fractions.
template <class Number>
void expect(bool good, std::string_view flag, Number value, std::string_view expectation) {
  if (!good) throw Error(ErrorCode::kUsage, fmt::format("--{} is {}: expected {}", flag, value, expectation));
}

void check_text_options(const TrainOptions& o) {
  if (o.texts.empty())
    throw Error(ErrorCode::kUsage, "no text to train on: name one or more files, or - for standard input");
  if (o.save.empty()) throw Error(ErrorCode::kUsage, "no --save: name the model file to write, as model.safetensors");
  expect(o.valid_split >= 0 && o.valid_split < 1, "valid-split", o.valid_split, "a share from 0 to below 1");
  expect(o.tokenizer.vocab_size >= 0, "vocab-size", o.tokenizer.vocab_size, "a number above 0");
  expect(o.tokenizer.min_count >= 1, "min-count", o.tokenizer.min_count, "a number above 0");
}

[[noreturn]] void contradict(std::string_view flag, std::string_view needed, std::string_view present) {
  throw Error(ErrorCode::kUsage, fmt::format("--{} is for {}: here it is {}", flag, needed, present));
}

void check_schedule_options(const TrainOptions& o) {
  expect(std::isfinite(o.lr) && o.lr >= 0, "lr", o.lr, "a number above 0");
  expect(o.warmup >= -1, "warmup", o.warmup, "a number of steps, 0 or more");
  if (o.schedule != Schedule::kStep) {
    const std::string_view schedule = schedule_name(o.schedule);
    if (o.decay_after) contradict("decay-after", "--schedule step", schedule);
    if (o.decay) contradict("decay", "--schedule step", schedule);
    return;
  }
  if (!o.decay_after) {
    throw Error(ErrorCode::kUsage, "--schedule step without --decay-after: say after how many epochs the rate falls");
  }
  expect(*o.decay_after >= 1, "decay-after", *o.decay_after, "a number of epochs, 1 or more");
  if (o.decay) expect(std::isfinite(*o.decay) && *o.decay > 1, "decay", *o.decay, "a number above 1");
}

void check_optimizer_options(const TrainOptions& o) {
  const TrainOptions defaults;
  expect(o.momentum >= 0 && o.momentum < 1, "momentum", o.momentum, "a number from 0 to below 1");
  expect(o.beta2 >= 0 && o.beta2 < 1, "beta2", o.beta2, "a number from 0 to below 1");
  expect(std::isfinite(o.weight_decay) && o.weight_decay >= 0, "weight-decay", o.weight_decay, "a number, 0 or more");
  const std::string_view optimizer = optimizer_name(o.optimizer);
  if (o.momentum != 0 && o.optimizer != Optimizer::kSgd) contradict("momentum", "--optimizer sgd", optimizer);
  if (o.beta2 != defaults.beta2 && o.optimizer != Optimizer::kAdam) contradict("beta2", "--optimizer adam", optimizer);
}

void check_validation_options(const TrainOptions& o) {
  const TrainOptions defaults;
  expect(o.ema_decay > 0 && o.ema_decay < 1, "ema-decay", o.ema_decay, "a number above 0 and below 1");
  expect(o.nonmono >= 1, "nonmono", o.nonmono, "a number of validations, 1 or more");
  expect(o.validate_every >= 0, "validate-every", o.validate_every, "a number of steps, 1 or more");
  expect(o.patience >= 0, "patience", o.patience, "a number of validations, 1 or more");
  const std::string_view average = average_name(o.average);
  if (o.ema_decay != defaults.ema_decay && o.average != Average::kEma)
    contradict("ema-decay", "--average ema", average);
  if (o.nonmono != defaults.nonmono && o.average != Average::kTriggered) {
    contradict("nonmono", "--average triggered", average);
  }
  if (!o.valid.empty() || o.valid_split > 0) return;
  for (const auto& [flag, given] :
       {std::pair("average triggered", o.average == Average::kTriggered),
        std::pair("validate-every", o.validate_every > 0), std::pair("patience", o.patience > 0),
        std::pair("schedule plateau", o.schedule == Schedule::kPlateau)}) {
    if (!given) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("--{} needs validation: give --valid, or a --valid-split above 0", flag));
  }
}

void check_run_options(const TrainOptions& o) {
  constexpr std::int64_t kMostRows = 1 << 16;
  expect(o.batch_size >= 1 && o.batch_size <= kMostRows, "batch-size", o.batch_size, "a number from 1 to 65536");
  expect(o.bptt >= 1 && o.bptt <= kMostRows, "bptt", o.bptt, "a number from 1 to 65536");
  expect(o.bptt_jitter >= 0 && 2 * o.bptt_jitter < o.bptt && o.bptt + 2 * o.bptt_jitter <= kMostRows, "bptt-jitter",
         o.bptt_jitter, fmt::format("0 or more, below half of --bptt {}", o.bptt));
  expect(std::isfinite(o.init_range) && o.init_range >= 0, "init-range", o.init_range, "a number above 0");
  expect(std::isfinite(o.clip) && o.clip >= 0, "clip", o.clip, "a gradient norm above 0, or 0 for no clipping");
  expect(o.save_every >= 0, "save-every", o.save_every, "a number of steps, 1 or more");
  if (o.precision == Precision::kInt8) {
    throw Error(ErrorCode::kUsage,
                "--precision is int8: expected auto, f32 or bf16; unroll convert makes an int8 model "
                "of a trained one");
  }
  const int lengths = (o.epochs ? 1 : 0) + (o.steps ? 1 : 0) + (o.minutes ? 1 : 0);
  if (lengths > 1) throw Error(ErrorCode::kUsage, "more than one of --epochs, --steps and --minutes: give one");
  if (o.epochs) expect(*o.epochs >= 1 && *o.epochs <= kMostSteps, "epochs", *o.epochs, "a number from 1 to 2^31");
  if (o.steps) expect(*o.steps >= 1 && *o.steps <= kMostSteps, "steps", *o.steps, "a number from 1 to 2^31");
  if (o.minutes) expect(std::isfinite(*o.minutes) && *o.minutes > 0, "minutes", *o.minutes, "a number above 0");
}

std::string value_text(const auto& value) { return fmt::format("{}", value); }

template <class Value>
std::string value_text(const std::optional<Value>& value) {
  return value ? value_text(*value) : "not set";
}

// Options that a record names only where they are not as they are by default: records from before there were such
// options mean the default.
NamedValues described_unless_default(const TrainOptions& o, const NetworkConfig& config) {
  const bool adaptive = !config.cutoffs.empty();
  const Regularization& r = o.regularization;
  return {{"softmax", value_text(softmax_name(adaptive ? Softmax::kAdaptive : o.softmax))},
          {"samples", value_text(o.samples)},
          {"cutoffs", adaptive ? fmt::format("{}", fmt::join(config.cutoffs, ",")) : "none"},
          {"residual", value_text(o.residual)},
          {"dropout-input", value_text(r.input)},
          {"dropout-between", value_text(r.between)},
          {"dropout-output", value_text(r.output)},
          {"dropout-words", value_text(r.words)},
          {"weight-drop", value_text(r.recurrent)},
          {"locked", value_text(r.locked)},
          {"ar", value_text(r.ar)},
          {"tar", value_text(r.tar)},
          {"init-range", value_text(o.init_range)},
          {"decay-after", value_text(o.decay_after)},
          {"decay", value_text(o.decay)},
          {"momentum", value_text(o.momentum)},
          {"beta2", value_text(o.beta2)},
          {"weight-decay", value_text(o.weight_decay)},
          {"average", std::string(average_name(o.average))},
          {"ema-decay", value_text(o.ema_decay)},
          {"nonmono", value_text(o.nonmono)},
          {"validate-every", value_text(o.validate_every)},
          {"patience", value_text(o.patience)},
          {"bptt-jitter", value_text(o.bptt_jitter)}};
}

}  // namespace

std::string_view optimizer_name(Optimizer optimizer) noexcept { return name(optimizer); }
Optimizer parse_optimizer(std::string_view text) { return parse_name<Optimizer, name>("optimizer", text); }
std::string_view schedule_name(Schedule schedule) noexcept { return name(schedule); }
Schedule parse_schedule(std::string_view text) { return parse_name<Schedule, name>("schedule", text); }
std::string_view average_name(Average average) noexcept { return name(average); }
Average parse_average(std::string_view text) { return parse_name<Average, name>("average", text); }
std::string_view softmax_name(Softmax softmax) noexcept { return name(softmax); }
Softmax parse_softmax(std::string_view text) { return parse_name<Softmax, name>("softmax", text); }
std::string_view init_name(Init init) noexcept { return name(init); }
Init parse_init(std::string_view text) { return parse_name<Init, name>("init", text); }

TrainOptions resolve(TrainOptions options) {
  check_text_options(options);
  check_run_options(options);
  check_schedule_options(options);
  check_optimizer_options(options);
  check_validation_options(options);
  check(options.regularization);
  if (options.regularization.recurrent > 0 && !has_recurrent_weights(options.cell)) {
    throw Error(ErrorCode::kUsage, fmt::format("--weight-drop is for hidden-to-hidden matrices: the cell {} has none",
                                               cell_name(options.cell)));
  }
  if (options.init == Init::kIdentity && options.cell != Cell::kRnnRelu) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--init identity is for --cell rnn-relu: the cell is {}", cell_name(options.cell)));
  }
  if (!options.cutoffs.empty() && options.softmax != Softmax::kAdaptive) {
    throw Error(ErrorCode::kUsage, "--cutoffs are for --softmax adaptive: give both or neither");
  }
  if (options.samples != 0 && options.softmax != Softmax::kSampled) {
    throw Error(ErrorCode::kUsage, "--samples are for --softmax sampled: give both or neither");
  }
  if (options.resume && options.overwrite) {
    throw Error(ErrorCode::kUsage, "--resume and --overwrite contradict each other: give one");
  }
  if (options.embed == 0) options.embed = options.hidden;
  constexpr double kDefaultDecay = 2;
  if (options.schedule == Schedule::kStep && !options.decay) options.decay = kDefaultDecay;
  if (options.lr == 0) options.lr = options.optimizer == Optimizer::kAdam ? 0.004 : 1;
  constexpr std::int64_t kDefaultEpochs = 10;
  if (!options.epochs && !options.steps && !options.minutes) options.epochs = kDefaultEpochs;
  return options;
}

ChosenPrecision choose_precision(std::optional<Precision> asked, const NamedValues* saved) {
  if (asked) return {.precision = *asked, .reason = {}};
  if (saved == nullptr) {
    return has_bf16_products() ? ChosenPrecision{Precision::kBf16, "this processor multiplies bf16"}
                               : ChosenPrecision{Precision::kF32, "this processor does not multiply bf16"};
  }
  const std::optional<std::string> name = named_value(*saved, "precision");
  return {.precision = name ? parse_precision(*name) : Precision::kF32, .reason = "as the run began"};
}

NamedValues describe(const TrainOptions& options, const NetworkConfig& config) {
  const auto text = [](const auto& value) { return value_text(value); };
  NamedValues values{{"state", text(state_policy_name(options.state))},
                     {"cell", text(cell_name(config.cell))},
                     {"layers", text(config.layers)},
                     {"hidden", text(config.hidden)},
                     {"embed", text(config.embed)},
                     {"tied", text(config.tied)},
                     {"init", text(init_name(options.init))},
                     {"batch-size", text(options.batch_size)},
                     {"bptt", text(options.bptt)},
                     {"optimizer", text(optimizer_name(options.optimizer))},
                     {"lr", text(options.lr)},
                     {"schedule", text(schedule_name(options.schedule))},
                     {"warmup", text(options.warmup)},
                     {"clip", text(options.clip)},
                     {"precision", text(precision_name(options.precision.value_or(Precision::kF32)))},
                     {"seed", text(options.seed)}};
  if (config.layer_norm) values.emplace_back("layer-norm", text(config.layer_norm));
  const NamedValues defaults = described_unless_default({}, {});
  for (const auto& [name, value] : described_unless_default(options, config)) {
    if (value != named_value(defaults, name)) values.emplace_back(name, value);
  }
  return values;
}

std::optional<std::string> named_value(const NamedValues& values, std::string_view name) {
  const auto found = std::ranges::find(values, name, &std::pair<std::string, std::string>::first);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

NamedValues meant_where_unnamed() {
  NamedValues values = described_unless_default({}, {});
  values.emplace_back("precision", precision_name(Precision::kF32));
  values.emplace_back("layer-norm", value_text(false));
  return values;
}

std::string describe_length(const TrainOptions& options) {
  if (options.epochs) return fmt::format("epochs {}", *options.epochs);
  if (options.steps) return fmt::format("steps {}", *options.steps);
  return fmt::format("minutes {}", options.minutes.value_or(0));
}

std::int64_t warmup_steps(const TrainOptions& options, std::int64_t steps) {
  constexpr std::int64_t kMost = 100;
  if (options.warmup >= 0) return options.warmup;
  return options.optimizer == Optimizer::kAdam ? std::min(kMost, steps / 20) : 0;
}

}  // namespace unroll
