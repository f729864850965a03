#include "train/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/names.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view name_of(Optimizer optimizer) noexcept {
  switch (optimizer) {
    case Optimizer::kSgd:
      return "sgd";
    case Optimizer::kAdam:
      return "adam";
  }
  return {};
}

constexpr std::string_view name_of(Schedule schedule) noexcept {
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

constexpr std::string_view name_of(Average average) noexcept {
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

constexpr std::string_view name_of(Softmax softmax) noexcept {
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

constexpr std::string_view name_of(Init init) noexcept {
  switch (init) {
    case Init::kUniform:
      return "uniform";
    case Init::kIdentity:
      return "identity";
    case Init::kChrono:
      return "chrono";
  }
  return {};
}

constexpr std::string_view name_of(Transitions transitions) noexcept {
  switch (transitions) {
    case Transitions::kNone:
      return "none";
    case Transitions::kCrf:
      return "crf";
  }
  return {};
}

constexpr std::string_view name_of(InputKind input) noexcept {
  switch (input) {
    case InputKind::kText:
      return "text";
    case InputKind::kDense:
      return "dense";
  }
  return {};
}

std::string_view name_of(DenseScale scale) noexcept { return dense_scale_name(scale); }
std::string_view name_of(TaskKind kind) noexcept { return task_name(kind); }
std::string_view name_of(Readout readout) noexcept { return readout_name(readout); }
std::string_view name_of(StatePolicy state) noexcept { return state_policy_name(state); }
std::string_view name_of(TokenizerKind kind) noexcept { return tokenizer_kind_name(kind); }
std::string_view name_of(Cell cell) noexcept { return cell_name(cell); }
std::string_view name_of(BeginPolicy begin) noexcept { return begin_policy_name(begin); }
std::string_view name_of(Precision precision) noexcept { return precision_name(precision); }

template <class Value>
std::string value_text(const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    return std::string(name_of(value));
  } else {
    return fmt::format("{}", value);
  }
}

std::string value_text(const std::vector<std::int64_t>& list) {
  return list.empty() ? "none" : fmt::format("{}", fmt::join(list, ","));
}

template <class Value>
std::string value_text(const std::optional<Value>& value) {
  return value ? value_text(*value) : "not set";
}

[[noreturn]] void refuse(std::string_view field, const std::string& message) {
  throw Error(ErrorCode::kUsage, message, std::string(field));
}

// Throws where a number is out of its option's range, or where an enumeration lacks it; other values have no range.
struct RangeCheck {
  template <class Value>
  void operator()(const TrainOption& option, const Value& value) const {
    if constexpr (std::is_enum_v<Value>) expect_enumerator(option.field, value, name_of(value));
    if constexpr (std::is_arithmetic_v<Value> && !std::same_as<Value, bool>) {
      const auto number = static_cast<double>(value);
      if (number == option.automatic || contains(option.range, number)) return;
      refuse(option.field, fmt::format("`{}` is {}: expected {}", option.field, value,
                                       describe(option.range, std::is_integral_v<Value>)));
    }
  }

  template <class Value>
  void operator()(const TrainOption& option, const std::optional<Value>& value) const {
    if (value) (*this)(option, *value);
  }
};

// Throws where an option is given that is for another value of its owner than is given.
void check_owners(const TrainOptions& options) {
  const std::vector<DescribedOption> all = describe_all(options);
  const std::vector<DescribedOption> defaults =
      describe_all(default_options(options.task.kind, options.task.input, options.tokenizer.kind));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const TrainOption& option = all[i].option;
    const auto& [owner, needed] = option.only_with;
    if (owner.empty() || all[i].value == defaults[i].value) continue;
    const auto field = [](const DescribedOption& described) { return described.option.field; };
    const std::string& present = std::ranges::find(all, owner, field)->value;
    if (present == needed) continue;
    refuse(option.field, fmt::format("`{}` is for `{}` {}: here it is {}", option.field, owner, needed, present));
  }
}

void check_files(const TrainOptions& o) {
  if (o.text.paths.empty()) {
    refuse("text.paths", "`text.paths` is empty: expected the paths of one or more texts, or - for standard input");
  }
  if (o.files.save.empty()) {
    refuse("files.save", "`files.save` is empty: expected the path of the model to write, as model.safetensors");
  }
  if (o.files.resume && o.files.overwrite) {
    refuse("files.resume", "`files.resume` and `files.overwrite` contradict each other: give one");
  }
}

// Numbers are for tasks that answer with labels or numbers, and numbers are learned from numbers alone.
void check_input(const TrainOptions& o) {
  const TaskKind kind = o.task.kind;
  const bool dense = o.task.input == InputKind::kDense;
  if (kind == TaskKind::kRegress && !dense) {
    refuse("task.input", "`task.kind` regress learns from sequences of numbers: `task.input` is dense");
  }
  if (dense && (kind == TaskKind::kLanguage || kind == TaskKind::kConditional)) {
    refuse("task.input", fmt::format("`task.input` dense is for `task.kind` classify, tag and regress: here it is {}",
                                     task_name(kind)));
  }
  if (dense && o.regularization.words > 0) {
    refuse("regularization.words", "`regularization.words` drops symbols, and `task.input` dense has none");
  }
  if (dense && o.task.readout == Readout::kSteps) {
    refuse("task.readout",
           "`task.readout` is steps: expected last, max, mean, concat or attention; numbers of each "
           "step are learned with `target_per_step`");
  }
}

void check_validation(const TrainOptions& o) {
  if (!o.text.valid.empty() || o.text.valid_split > 0) return;
  for (const auto& [field, value, given] :
       {std::tuple("run.average", "triggered", o.run.average == Average::kTriggered),
        std::tuple("run.schedule", "plateau", o.run.schedule == Schedule::kPlateau),
        std::tuple("run.validate_every", "set", o.run.validate_every > 0),
        std::tuple("run.patience", "set", o.run.patience > 0)}) {
    if (!given) continue;
    refuse(field, fmt::format("`{}` is {}, which needs validation: give `text.valid`, or a `text.valid_split` above 0",
                              field, value));
  }
}

void check_folds(const TrainOptions& o) {
  const TaskOptions& task = o.task;
  if (task.folds == 0 && task.fold == 0) return;
  if (task.folds == 0) refuse("task.fold", "`task.fold` needs `task.folds`, the number of parts of which it is one");
  if (!o.text.valid.empty()) {
    refuse("task.folds", "`task.folds` holds out a part of the texts: leave `text.valid` out");
  }
  if (task.fold >= 1 && task.fold <= task.folds) return;
  refuse("task.fold", fmt::format("`task.fold` is {}: expected 1 to {}, the part to hold out", task.fold, task.folds));
}

// Characters are those of words.
void check_characters(const TrainOptions& o) {
  if (o.task.characters.value_or(0) == 0) return;
  const TaskKind kind = o.task.kind;
  if ((kind != TaskKind::kTag && kind != TaskKind::kClassify) || o.task.input == InputKind::kDense) {
    refuse("task.characters",
           fmt::format("`task.characters` is {}, for `task.kind` tag and classify of texts: leave it out",
                       *o.task.characters));
  }
  if (kind == TaskKind::kTag || tokens_are_words(o.tokenizer.kind)) return;
  refuse("task.characters",
         fmt::format("`task.characters` is {}: a network over characters reads those of words, and `tokenizer.kind` is "
                     "{}; expected word or whitespace, or `task.characters` 0",
                     *o.task.characters, tokenizer_kind_name(o.tokenizer.kind)));
}

// Only what answers with labels of texts starts from a language model or from word vectors.
void check_transfer(const TrainOptions& o) {
  const TaskKind kind = o.task.kind;
  const bool of_texts = o.task.input == InputKind::kText;
  const bool may = of_texts && (kind == TaskKind::kClassify || kind == TaskKind::kTag);
  const TransferOptions& t = o.transfer;
  for (const auto& [field, given] :
       {std::pair("transfer.init", !t.init.empty()), std::pair("transfer.unlabelled", !t.unlabelled.empty()),
        std::pair("transfer.layer_decay", t.layer_decay != 1), std::pair("transfer.unfreeze", t.unfreeze > 0),
        std::pair("regularization.language", o.regularization.language > 0)}) {
    if (!given || may) continue;
    refuse(field, fmt::format("`{}` is for `task.kind` classify and tag of texts: here it is {}{}", field,
                              task_name(kind), of_texts ? "" : " of numbers"));
  }
  if (!t.init.empty() && !t.unlabelled.empty()) {
    refuse("transfer.unlabelled",
           "`transfer.unlabelled` trains a language model, and `transfer.init` gives one: leave "
           "one of them out");
  }
  if (t.unlabelled == "-") refuse("transfer.unlabelled", "`transfer.unlabelled` is read twice: expected a file");
  if (o.regularization.language > 0 && o.task.bidirectional && o.network.layers > 1) {
    refuse("regularization.language",
           "`regularization.language` needs `network.layers` 1, or texts read in one direction: in a second layer each "
           "direction would see the symbols that it predicts");
  }
}

// Word vectors set the embedding of words, which nothing else may decide.
void check_vectors(const TrainOptions& o) {
  constexpr std::string_view kVectors = "transfer.vectors";
  if (o.transfer.vectors.empty()) return;
  if (o.task.input == InputKind::kDense) refuse(kVectors, "`transfer.vectors` are of words: `task.input` is dense");
  if (!o.files.from.empty() || !o.transfer.init.empty() || !o.transfer.unlabelled.empty()) {
    refuse(kVectors,
           "`transfer.vectors` and a model to start from both set the embedding: give one of `transfer.vectors`, "
           "`transfer.init`, `transfer.unlabelled` and `files.from`");
  }
  if (o.run.fit_to_minutes) {
    refuse(kVectors,
           "`transfer.vectors` decide `network.embed`, and so does `run.fit_to_minutes`: leave one of them out");
  }
  if (tokens_are_words(o.tokenizer.kind)) return;
  refuse(kVectors,
         fmt::format("`transfer.vectors` are of words, and `tokenizer.kind` is {}: expected word or whitespace",
                     tokenizer_kind_name(o.tokenizer.kind)));
}

void check_task(const TrainOptions& o) {
  const TaskKind kind = o.task.kind;
  if (kind == TaskKind::kLanguage) return;
  if (kind == TaskKind::kClassify && o.task.readout == Readout::kSteps) {
    refuse("task.readout",
           "`task.readout` is steps, and `task.kind` classify answers once per text: expected last, max, mean, concat "
           "or attention");
  }
  if (o.network.softmax != Softmax::kFull) {
    refuse("network.softmax", "`network.softmax` is for language models: leave it out with another `task.kind`");
  }
  if (o.run.fit_to_minutes) refuse("run.minutes", "`run.fit_to_minutes` is for language models");
  if (!o.files.from.empty()) {
    refuse("files.from",
           "`files.from` continues a language model: another `task.kind` starts from one with `transfer.init`");
  }
  check_folds(o);
}

// Where the minutes decide about network, regularisation and updates, nobody else does.
void check_fit(const TrainOptions& options) {
  if (!options.run.fit_to_minutes) return;
  if (!options.run.minutes || !options.files.from.empty()) {
    refuse("run.minutes", "`run.fit_to_minutes` needs `run.minutes`, and goes without `files.from`");
  }
  const std::vector<DescribedOption> defaults = describe_all({});
  const auto default_of = [&](const TrainOption& option) {
    return std::ranges::find(defaults, option.name, [](const DescribedOption& d) { return d.option.name; })->value;
  };
  for_each_fitted_option(options, [&](const TrainOption& option, const auto& value) {
    if (value_text(value) == default_of(option)) return;
    refuse(option.field, fmt::format("`{}` is {}, and `run.fit_to_minutes` decides about it: leave one of them out",
                                     option.field, value_text(value)));
  });
}

// The optimizer computes with floats, and 1 would divide by zero or forget nothing.
void check_rounded_shares(const RunOptions& run) {
  for (const auto& [field, share] : {std::pair("run.beta2", run.beta2), std::pair("run.momentum", run.momentum)}) {
    if (static_cast<float>(share) < 1) continue;
    refuse(field, fmt::format("`{}` is {}, which is 1 as a float: expected at most 0.9999999", field, share));
  }
}

void check_run(const TrainOptions& o) {
  const RunOptions& run = o.run;
  check_rounded_shares(run);
  if (run.schedule == Schedule::kStep && !run.decay_after) {
    refuse("run.decay_after", "`run.schedule` is step: give `run.decay_after`, the number of epochs at the full rate");
  }
  const auto most = static_cast<std::int64_t>(kWindowRange.most);
  if (2 * run.bptt_jitter >= run.bptt && run.bptt_jitter > 0) {
    refuse("run.bptt_jitter", fmt::format("`run.bptt_jitter` is {}: expected 0 or more, below half of `run.bptt` {}",
                                          run.bptt_jitter, run.bptt));
  }
  if (run.bptt + 2 * run.bptt_jitter > most) {
    refuse("run.bptt_jitter", fmt::format("`run.bptt` {} and twice `run.bptt_jitter` {} are more than {} steps: "
                                          "make one of them smaller",
                                          run.bptt, run.bptt_jitter, most));
  }
  if (run.precision == Precision::kInt8) {
    refuse("run.precision", "`run.precision` is int8: expected f32 or bf16; a trained model can be converted to int8");
  }
  if (!std::has_single_bit(static_cast<std::uint64_t>(run.replicas))) {
    refuse("run.replicas", fmt::format("`run.replicas` is {}: expected a power of two", run.replicas));
  }
  const int lengths = (run.epochs ? 1 : 0) + (run.steps ? 1 : 0) + (run.minutes ? 1 : 0);
  if (lengths > 1) refuse("run.steps", "more than one of `run.epochs`, `run.steps` and `run.minutes`: give one");
  if (run.init == Init::kIdentity && o.network.cell != Cell::kRnnRelu) {
    refuse("run.init", fmt::format("`run.init` identity is for `network.cell` rnn-relu: the cell is {}",
                                   cell_name(o.network.cell)));
  }
  if (run.init == Init::kChrono && gate_count(o.network.cell) == 1) {
    refuse("run.init",
           fmt::format("`run.init` chrono sets biases of gates: the cell {} has none", cell_name(o.network.cell)));
  }
}

// What a record means that names no characters: those that were the default when classifiers of texts had none. Of
// numbers every record names the 0.
std::int64_t unrecorded_characters(const TaskOptions& task) {
  constexpr std::int64_t kOfTaggers = 30;
  return task.kind == TaskKind::kTag || task.input == InputKind::kDense ? kOfTaggers : 0;
}

}  // namespace

std::string_view optimizer_name(Optimizer optimizer) noexcept { return name_of(optimizer); }
Optimizer parse_optimizer(std::string_view text) { return parse_name<Optimizer, name_of>("optimizer", text); }
std::string_view schedule_name(Schedule schedule) noexcept { return name_of(schedule); }
Schedule parse_schedule(std::string_view text) { return parse_name<Schedule, name_of>("schedule", text); }
std::string_view average_name(Average average) noexcept { return name_of(average); }
Average parse_average(std::string_view text) { return parse_name<Average, name_of>("average", text); }
std::string_view softmax_name(Softmax softmax) noexcept { return name_of(softmax); }
Softmax parse_softmax(std::string_view text) { return parse_name<Softmax, name_of>("softmax", text); }
std::string_view init_name(Init init) noexcept { return name_of(init); }
Init parse_init(std::string_view text) { return parse_name<Init, name_of>("init", text); }
std::string_view transitions_name(Transitions transitions) noexcept { return name_of(transitions); }
std::string_view input_name(InputKind input) noexcept { return name_of(input); }
InputKind parse_input(std::string_view text) { return parse_name<InputKind, name_of>("input", text); }
Transitions parse_transitions(std::string_view text) { return parse_name<Transitions, name_of>("transitions", text); }

std::vector<DescribedOption> describe_all(const TrainOptions& options) {
  std::vector<DescribedOption> all;
  for_each_option(options, [&](const TrainOption& option, const auto& value) {
    all.push_back({option, value_text(value)});
  });
  return all;
}

TrainOptions resolve(TrainOptions options) {
  check_files(options);
  for_each_option(std::as_const(options), RangeCheck());
  check_input(options);
  check_characters(options);
  check_vectors(options);
  check_owners(options);
  check_validation(options);
  check_fit(options);
  check_task(options);
  check_transfer(options);
  check_run(options);
  RunOptions& run = options.run;
  // The default of tasks, which is for words.
  const bool folds_words = options.task.kind == TaskKind::kLanguage || tokens_are_words(options.tokenizer.kind);
  options.tokenizer.lowercase = options.tokenizer.lowercase && folds_words;
  options.task.characters = options.task.characters.value_or(default_characters(options.task));
  if (options.transfer.vectors.empty()) {
    if (options.network.embed == 0) options.network.embed = options.network.hidden;
  } else if (options.network.embed == default_options(options.task.kind).network.embed) {
    options.network.embed = 0;  // the vectors decide
  }
  constexpr double kDefaultDecay = 2;
  if (run.schedule == Schedule::kStep && !run.decay) run.decay = kDefaultDecay;
  if (run.lr == 0) run.lr = run.optimizer == Optimizer::kAdam ? 0.004 : 1;
  return options;
}

NamedValues recorded_options(const TrainOptions& options) {
  TrainOptions unrecorded;
  if (options.task.characters) unrecorded.task.characters = unrecorded_characters(options.task);
  const std::vector<DescribedOption> defaults = describe_all(unrecorded);
  NamedValues always;
  NamedValues changed;
  std::size_t i = 0;
  for (auto& [option, value] : describe_all(options)) {
    const bool is_default = value == defaults[i++].value;
    // With files.from, neither says anything of the vocabulary.
    const bool unused = !options.files.from.empty() && (option.name == "vocab-size" || option.name == "min-count");
    if (option.name == "valid-split" && !options.text.valid.empty()) value = kFromFile;
    if (option.recorded == Recorded::kAlways && !unused) always.emplace_back(option.name, value);
    if (option.recorded == Recorded::kUnlessDefault && !is_default) changed.emplace_back(option.name, value);
  }
  std::ranges::move(changed, std::back_inserter(always));
  return always;
}

std::optional<std::string> named_value(const NamedValues& values, std::string_view name) {
  const auto found = std::ranges::find(values, name, &std::pair<std::string, std::string>::first);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

NamedValues option_defaults() {
  NamedValues values;
  for (auto& [option, value] : describe_all({})) {
    if (option.recorded == Recorded::kUnlessDefault) values.emplace_back(option.name, std::move(value));
  }
  values.emplace_back("precision", precision_name(Precision::kF32));
  return values;
}

}  // namespace unroll
