#include "train/run_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "dist/shares.h"
#include "kernels/processor.h"
#include "label/conditional_windows.h"
#include "label/text_windows.h"
#include "model/model_file.h"
#include "train/memory_plan.h"
#include "train/starting_vectors.h"
#include "unroll/error.h"

namespace unroll {
namespace {

NetworkConfig network_config(const NetworkOptions& network, std::int64_t vocabulary) {
  NetworkConfig config{.cell = network.cell,
                       .vocabulary = vocabulary,
                       .embed = network.embed,
                       .hidden = network.hidden,
                       .layers = network.layers,
                       .tied = network.tied,
                       .residual = network.residual,
                       .layer_norm = network.layer_norm};
  if (network.softmax == Softmax::kAdaptive) {
    config.cutoffs = network.cutoffs.empty() ? default_cutoffs(vocabulary) : network.cutoffs;
  }
  return config;
}

void set_characters(const TrainOptions& options, const Task& task, NetworkConfig& config) {
  if (task.characters.empty()) return;
  config.characters = std::ssize(task.characters) + 1;
  config.character_hidden = *options.task.characters;
}

// A language model of whole texts, as transfer.unlabelled trains it.
NetworkConfig texts_config(const TrainOptions& options, const TrainingText& text) {
  NetworkConfig config = network_config(options.network, text.tokenizer.size());
  config.bidirectional = options.task.bidirectional;
  set_characters(options, text.task->task, config);
  return config;
}

// A task's network; its outputs are those of the texts.
NetworkConfig task_config(const TrainOptions& options, const TrainingText& text) {
  const Task& task = text.task->task;
  if (task.kind == TaskKind::kLanguage) return texts_config(options, text);
  const bool dense = text.task->inputs > 0;
  NetworkConfig config = network_config(options.network, dense ? 0 : text.tokenizer.size());
  if (dense) config.embed = text.task->inputs;
  const auto labels = std::ssize(task.labels);
  if (task.kind == TaskKind::kConditional) {
    config.conditions = labels;
    return config;
  }
  config.outputs = labels;
  config.bidirectional = options.task.bidirectional;
  set_characters(options, task, config);
  config.language = options.regularization.language > 0;
  if (task.kind == TaskKind::kTag) {
    config.loss = options.task.transitions == Transitions::kCrf ? Loss::kCrf : Loss::kSoftmax;
    return config;
  }
  config.loss = task.kind == TaskKind::kRegress ? Loss::kSquared : task.multi_label ? Loss::kSigmoid : Loss::kSoftmax;
  if (!text.task->per_step) config.readout = options.task.readout;
  return config;
}

NetworkConfig config_of(const RunInputs& inputs) {
  if (inputs.text.task) {
    const NetworkConfig config = task_config(inputs.options, inputs.text);
    return inputs.from != nullptr ? config_from(*inputs.from, config) : config;
  }
  if (inputs.from != nullptr) return inputs.from->config();
  return network_config(inputs.options.network, inputs.text.tokenizer.size());
}

// Throws Error{kUsage} where what was asked for does not go with the network that is trained.
void check_network(const TrainOptions& options, const NetworkConfig& config) {
  check(config);
  if (options.regularization.label_smoothing > 0 && (config.outputs == 0 || config.loss != Loss::kSoftmax)) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`regularization.label_smoothing` is {}, for one label of several: the loss of this run is "
                            "{}{}",
                            options.regularization.label_smoothing,
                            config.outputs == 0 ? "that of a language model" : loss_name(config.loss),
                            config.loss == Loss::kCrf ? "; give `task.transitions` none" : ""),
                "regularization.label_smoothing");
  }
  const Softmax softmax = options.network.softmax;
  if (softmax == Softmax::kAdaptive && config.cutoffs.empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`network.softmax` is adaptive, and that of '{}' is full: with `files.from` the network is "
                            "as it is",
                            options.files.from),
                "network.softmax");
  }
  if (softmax == Softmax::kSampled && !config.cutoffs.empty()) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("`network.softmax` sampled is for a full softmax: that of '{}' is adaptive", options.files.from),
        "network.softmax");
  }
  if (options.regularization.recurrent > 0 && !has_recurrent_weights(config.cell)) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`regularization.recurrent` is for hidden-to-hidden matrices: the cell {} has none",
                            cell_name(config.cell)),
                "regularization.recurrent");
  }
}

std::int64_t drawn_samples(std::int64_t asked, std::int64_t V) {
  constexpr std::int64_t kMostByDefault = 8192;
  const std::int64_t samples = asked > 0 ? asked : std::clamp<std::int64_t>(V / 10, 1, kMostByDefault);
  if (samples <= V / 2) return samples;
  throw Error(
      ErrorCode::kUsage,
      fmt::format("`network.samples` is {}: expected 1 to {}, half of the vocabulary; beyond that a full softmax "
                  "is faster",
                  samples, V / 2),
      "network.samples");
}

// Symbols that a language model of whole texts compares with, in training; 0: all.
std::int64_t samples_of_texts(const NetworkConfig& config) {
  constexpr std::int64_t kMostCompared = 2000;
  return config.vocabulary > kMostCompared ? drawn_samples(0, config.vocabulary) : 0;
}

// The network's options as they are where it has this config.
void set_network(NetworkOptions& network, const NetworkConfig& config) {
  network.cell = config.cell;
  network.layers = config.layers;
  network.hidden = config.hidden;
  network.embed = config.embed;
  network.tied = config.tied;
  network.layer_norm = config.layer_norm;
  network.residual = config.residual;
  network.cutoffs = config.cutoffs;
  if (!config.cutoffs.empty()) network.softmax = Softmax::kAdaptive;
  if (network.softmax == Softmax::kSampled) network.samples = drawn_samples(network.samples, config.vocabulary);
}

void note_order_of_symbols(Softmax softmax, TokenizerKind kind, const TrainObserver& observer) {
  if (softmax == Softmax::kFull || (kind != TokenizerKind::kChar && kind != TokenizerKind::kByte)) return;
  note(observer, fmt::format("`network.softmax` {} takes the first symbols for the frequent ones; a vocabulary of {}s "
                             "is in no such order",
                             softmax_name(softmax), tokenizer_kind_name(kind)));
}

// The batch that the text can fill with two predictions a row at least.
std::int64_t fitting_batch(const TrainOptions& options, std::int64_t tokens, const TrainObserver& observer) {
  constexpr std::int64_t kLeast = 2;
  if (tokens < kLeast) {
    throw Error(ErrorCode::kInput,
                fmt::format("'{}' has {} token{} to train on: expected at least {}; give more text or a smaller "
                            "`text.valid_split`",
                            options.text.paths.front(), tokens, tokens == 1 ? "" : "s", kLeast));
  }
  const std::int64_t fitting = std::min(options.run.batch_size, tokens / kLeast);
  if (fitting < options.run.batch_size) {
    note(observer, fmt::format("batch size {} -> {}: the text has {} tokens, and a row needs at least {}",
                               options.run.batch_size, fitting, tokens, kLeast));
  }
  return fitting;
}

void expect_rows_for_replicas(const RunOptions& run) {
  if (run.replicas <= run.batch_size) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("`run.replicas` is {} and a batch has {} rows: each replica needs one at least; use a larger "
                          "`run.batch_size` or fewer `run.replicas`",
                          run.replicas, run.batch_size),
              "run.replicas");
}

// A precision of training and why it was taken; the reason is empty where it was asked for.
struct ChosenPrecision {
  Precision precision = Precision::kF32;
  std::string reason;
};

// What was asked for; else what the resumed run began with (f32 where its record names none); else what this processor
// does best.
ChosenPrecision choose_precision(std::optional<Precision> asked, const NamedValues* resumed) {
  if (asked) return {.precision = *asked, .reason = {}};
  if (resumed == nullptr) {
    return has_bf16_products() ? ChosenPrecision{Precision::kBf16, "this processor multiplies bf16"}
                               : ChosenPrecision{Precision::kF32, "this processor does not multiply bf16"};
  }
  const std::optional<std::string> name = named_value(*resumed, "precision");
  return {.precision = name ? parse_precision(*name) : Precision::kF32, .reason = "as the run began"};
}

RunLength length_of(const TrainOptions& options, const EpochShape& epoch) {
  const RunOptions& run = options.run;
  if (run.steps) return {RunLength::Unit::kSteps, static_cast<double>(*run.steps)};
  if (run.minutes) return {RunLength::Unit::kMinutes, *run.minutes};
  return {RunLength::Unit::kEpochs, static_cast<double>(run.epochs.value_or(default_epochs(options, epoch.windows)))};
}

// What a validation reads.
IdView validated(const TextOptions& options, const TrainingText& text) {
  const IdView whole = text.valid.view();
  if (options.valid_tokens == 0) return whole;
  return whole.first(std::min(whole.size(), static_cast<std::size_t>(options.valid_tokens)));
}

EpochShape epoch_of_task(const RunOptions& run, const TaskText& task) {
  const auto texts = static_cast<std::int64_t>(task.train.count());
  const std::int64_t windows = (texts + run.batch_size - 1) / run.batch_size;
  return {.windows = windows,
          .tokens_per_step = (task.train_answers + windows - 1) / windows,
          .train_tokens = task.train_answers,
          .valid_tokens = task.valid_answers,
          .valid_read = task.valid.steps(),
          .valid_text_tokens = task.valid_answers,
          .valid_tokens_asked = true,
          .validate_every = run.validate_every};
}

EpochShape epoch_of(const TrainOptions& options, const TrainingText& text, const Reading& reading) {
  const RunOptions& run = options.run;
  if (text.task) return epoch_of_task(run, *text.task);
  const std::int64_t row = (std::ssize(text.train) + run.batch_size - 1) / run.batch_size;
  const IdView valid = validated(options.text, text);
  return {.windows = (row + run.bptt - 1) / run.bptt,
          .tokens_per_step = run.batch_size * run.bptt,
          .train_tokens = count_predictions(reading, text.train.view()),
          .valid_tokens = count_predictions(reading, valid),
          .valid_read = std::ssize(valid),
          .valid_text_tokens = count_predictions(reading, text.valid.view()),
          .valid_tokens_asked = options.text.valid_tokens > 0,
          .validate_every = run.validate_every};
}

// What differs from `asked` once text and network are known.
TrainOptions decide(const RunInputs& inputs, const NetworkConfig& config, Precision precision,
                    const TrainObserver& observer) {
  TrainOptions options = inputs.options;
  options.tokenizer.kind = inputs.text.tokenizer.kind();
  options.tokenizer.lowercase = inputs.text.tokenizer.lowercase();
  set_network(options.network, config);
  note_order_of_symbols(options.network.softmax, options.tokenizer.kind, observer);
  if (inputs.text.task) {
    options.run.batch_size =
        std::min(options.run.batch_size, static_cast<std::int64_t>(inputs.text.task->train.count()));
  } else {
    options.run.batch_size = fitting_batch(options, std::ssize(inputs.text.train), observer);
  }
  options.run.precision = precision;
  if (!options.text.begin && inputs.from != nullptr && !inputs.text.task)
    options.text.begin = inputs.from->begin_policy();
  if (options.text.begin == BeginPolicy::kBoundary) options.text.begin.reset();  // the default, as it is recorded
  return options;
}

// The largest window of a replica. Texts are packed into a few rows: more would be shorter, and cost more steps of idle
// rows.
WindowSize largest_window_of(const RunOptions& run, const NetworkConfig& config, const TrainingText& text) {
  constexpr std::int64_t kMostRows = 32;
  const std::int64_t rows = most_rows_of_replica(run.batch_size, run.replicas);
  if (!text.task) return {.T = run.bptt + 2 * run.bptt_jitter, .B = rows};
  const PackedSize size = config.conditions > 0 ? largest_conditional_window(text.task->train, rows)
                                                : largest_window(text.task->train, rows, std::min(kMostRows, rows));
  return {.T = size.T, .B = size.B};
}

Reading reading_of_text(const TextOptions& options, const TrainingText& text) {
  const Reading reading =
      reading_of(text.tokenizer, options.state, options.begin.value_or(BeginPolicy::kBoundary), "text.");
  for (const auto& [ids, part] :
       {std::pair(text.train.view(), "train on"), std::pair(validated(options, text), "validate on")}) {
    if (ids.empty() || count_predictions(reading, ids) > 0) continue;
    throw Error(ErrorCode::kInput,
                fmt::format("the text to {} has nothing to predict: `text.begin` is none, so the first symbol of {} is "
                            "given, and nothing follows it; give more text",
                            part, options.state == StatePolicy::kReset ? "each line" : "the text"));
  }
  return reading;
}

NamedValues record(const TrainOptions& decided, const TrainingText& text, const Model* from) {
  NamedValues values = recorded_options(decided);
  if (from != nullptr) values.emplace_back(kFrom, from->data().checksum);
  if (text.vectors) values.emplace_back(kVectors, vectors_fingerprint(*text.vectors));
  values.emplace_back("vocabulary", fmt::format("{}", text.tokenizer.size()));
  values.emplace_back("text", text.fingerprint);
  return values;
}

}  // namespace

void note(const TrainObserver& observer, std::string_view sentence) {
  if (observer.on_note) observer.on_note(sentence);
}

std::string describe(const RunLength& length) {
  switch (length.unit) {
    case RunLength::Unit::kEpochs:
      return fmt::format("epochs {}", length.amount);
    case RunLength::Unit::kSteps:
      return fmt::format("steps {}", length.amount);
    case RunLength::Unit::kMinutes:
      return fmt::format("minutes {}", length.amount);
  }
  return {};
}

RunPlan plan_run(const RunInputs& inputs, const TrainObserver& observer) {
  const NetworkConfig config = config_of(inputs);
  check_network(inputs.options, config);
  const ChosenPrecision precision = choose_precision(inputs.options.run.precision, inputs.resumed);
  const TrainOptions options = decide(inputs, config, precision.precision, observer);
  expect_rows_for_replicas(options.run);
  const Reading reading = reading_of_text(options.text, inputs.text);
  const EpochShape epoch = epoch_of(options, inputs.text, reading);
  const RunOptions& run = options.run;
  const std::int64_t samples = predicts_texts(config) ? samples_of_texts(config) : options.network.samples;
  RunPlan plan{
      .config = config,
      .regularization = options.regularization,
      .initial = {.init = run.init,
                  .range = run.init_range,
                  .chrono_steps = run.chrono_steps > 0 ? run.chrono_steps : std::max<std::int64_t>(2, run.bptt),
                  .seed = run.seed},
      .samples = samples,
      .precision = precision.precision,
      .precision_reason = precision.reason,
      .reading = reading,
      .replicas = run.replicas,
      .window = largest_window_of(run, config, inputs.text),
      .batch_size = run.batch_size,
      .bptt = run.bptt,
      .bptt_jitter = run.bptt_jitter,
      .update = {.optimizer = run.optimizer,
                 .momentum = run.momentum,
                 .beta2 = run.beta2,
                 .weight_decay = run.weight_decay,
                 .rows_rest = samples > 0 || options.network.softmax != Softmax::kFull},
      .lr = run.lr,
      .schedule = run.schedule,
      .decay_after = run.decay_after.value_or(0),
      .decay = run.decay.value_or(1),
      .warmup = run.warmup,
      .clip = run.clip,
      .layer_rates = {.decay = options.transfer.layer_decay, .unfreeze = options.transfer.unfreeze},
      .average = {.kind = run.average, .ema_decay = run.ema_decay, .nonmono = run.nonmono},
      .length = length_of(options, epoch),
      .epoch = epoch,
      .patience = run.patience,
      .save_every = options.files.save_every,
      .seed = run.seed,
      .threads = run.threads,
      .save = options.files.save,
      .recorded = record(options, inputs.text, inputs.from),
      .text_in_memory = !inputs.text.train.mapped()};
  plan.memory = memory_plan(plan);
  if (inputs.text.task && inputs.text.task->inputs > 0) {
    const std::int64_t steps = inputs.text.train_symbols() + inputs.text.valid_symbols();
    plan.memory.push_back({"sequences", static_cast<std::int64_t>(sizeof(float)) * steps * inputs.text.task->inputs});
  }
  return plan;
}

std::int64_t warmup_steps(const RunPlan& plan, std::int64_t steps) noexcept {
  constexpr std::int64_t kMost = 100;
  if (plan.warmup != kWarmupOfRun) return plan.warmup;
  return plan.update.optimizer == Optimizer::kAdam ? std::min(kMost, steps / 20) : 0;
}

std::optional<std::int64_t> planned_steps(const RunPlan& plan) {
  if (plan.length.unit == RunLength::Unit::kMinutes) return std::nullopt;
  const auto amount = static_cast<std::int64_t>(plan.length.amount);
  if (plan.length.unit == RunLength::Unit::kSteps) return amount;
  if (amount <= kMostSteps / plan.epoch.windows) return amount * plan.epoch.windows;
  throw Error(ErrorCode::kUsage,
              fmt::format("`run.epochs` {} are more than {} steps, {} each: give fewer", amount, kMostSteps,
                          plan.epoch.windows),
              "run.epochs");
}

// int8 products are of no use to training.
std::string training_instruction_set() {
  constexpr std::string_view kInt8 = ", int8";
  std::string name = instruction_set_name();
  if (name.ends_with(kInt8)) name.resize(name.size() - kInt8.size());
  return name;
}

}  // namespace unroll
