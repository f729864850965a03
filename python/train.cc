#include "unroll/train.h"

#include <algorithm>
#include <exception>
#include <type_traits>

#include "python/bindings.h"
#include "python/errors.h"
#include "python/keywords.h"
#include "python/results.h"
#include "python/text.h"
#include "unroll/error.h"
#include "unroll/train_options.h"

namespace unroll {
namespace {

// Takes the argument of each option of a run.
class OptionTaker {
 public:
  explicit OptionTaker(Keywords& keywords) : keywords_(keywords) {}

  template <class Value>
  void operator()(const TrainOption& option, Value& value) const {
    const std::string name = keyword_of(option.field);
    take(name.c_str(), value);
  }

 private:
  template <class Value>
  void take(const char* name, Value& value) const {
    keywords_.take(name, value);
  }
  template <class Number>
  void take(const char* name, std::optional<Number>& value) const {
    if (const auto given = keywords_.take<Number>(name)) value = *given;
  }
  void take(const char* name, std::string& value) const { keywords_.take_path(name, value); }
  void take(const char* name, TokenizerKind& value) const { keywords_.take_name(name, value, parse_tokenizer_kind); }
  void take(const char* name, StatePolicy& value) const { keywords_.take_name(name, value, parse_state_policy); }
  void take(const char* name, std::optional<BeginPolicy>& value) const {
    keywords_.take_name(name, value, parse_begin_policy);
  }
  void take(const char* name, Cell& value) const { keywords_.take_name(name, value, parse_cell); }
  void take(const char* name, Softmax& value) const { keywords_.take_name(name, value, parse_softmax); }
  void take(const char* name, Init& value) const { keywords_.take_name(name, value, parse_init); }
  void take(const char* name, Optimizer& value) const { keywords_.take_name(name, value, parse_optimizer); }
  void take(const char* name, Schedule& value) const { keywords_.take_name(name, value, parse_schedule); }
  void take(const char* name, Average& value) const { keywords_.take_name(name, value, parse_average); }
  void take(const char* name, std::optional<Precision>& value) const {
    keywords_.take_name(name, value, parse_precision);
  }
  void take(const char* name, TaskKind& value) const { keywords_.take_name(name, value, parse_task); }
  void take(const char* name, InputKind& value) const { keywords_.take_name(name, value, parse_input); }
  void take(const char* name, std::optional<DenseScale>& value) const {
    keywords_.take_name(name, value, parse_dense_scale);
  }
  void take(const char* name, Readout& value) const { keywords_.take_name(name, value, parse_readout); }
  void take(const char* name, Transitions& value) const { keywords_.take_name(name, value, parse_transitions); }

  Keywords& keywords_;
};

// How files of labelled texts and of tagged words are read.
void take_data_options(Keywords& keywords, TaskOptions& task) {
  LabelledTextOptions& texts = task.texts;
  if (task.kind == TaskKind::kTag) {
    keywords.take_name("format", task.columns.format, parse_column_format);
    keywords.take_text("word_column", task.columns.word_column);
    keywords.take_text("tag_column", task.columns.tag_column);
    return;
  }
  if (task.kind != TaskKind::kClassify && task.kind != TaskKind::kConditional) return;
  keywords.take_name("format", texts.format, parse_text_format);
  keywords.take_name("encoding", texts.encoding, parse_text_encoding);
  keywords.take_text("text_column", texts.text_column);
  keywords.take_text("label_column", texts.label_column);
  keywords.take_text("weight_column", texts.weight_column);
  keywords.take_text("label_prefix", texts.label_prefix);
  keywords.take("bare_labels", texts.bare_labels);
  keywords.take("multi_label", texts.multi_label);
  keywords.take_text("label_separator", texts.label_separator);
}

TokenizerOptions asked_tokenizer(const std::string& value) {
  if (value.ends_with(".model")) return {.kind = TokenizerKind::kSentencePiece, .vocab_file = value};
  return {.kind = parse_tokenizer_kind(value)};
}

// With `minutes` alone, network and updates are what the minutes pay for, as from the command.
bool may_fit_to_minutes(const TrainOptions& options, const py::kwargs& given) {
  bool may = options.task.kind == TaskKind::kLanguage && options.run.minutes.has_value();
  for (const char* const name : {"from_model", "dropout", "vectors"}) may &= !given.contains(name);
  for_each_fitted_option(options, [&](const TrainOption& option, const auto&) {
    may &= !given.contains(keyword_of(option.field).c_str());
  });
  return may;
}

TrainOptions train_options(const py::object& texts, const py::kwargs& given) {
  Keywords keywords("train", given);
  TaskKind task = TaskKind::kLanguage;
  keywords.take_name("task", task, parse_task);
  InputKind input = InputKind::kText;
  keywords.take_name("input", input, parse_input);
  std::optional<TokenizerOptions> tokenizer;
  keywords.take_name("tokenizer", tokenizer, asked_tokenizer);
  TrainOptions options =
      default_options(task, input, tokenizer ? std::optional(tokenizer->kind) : std::optional<TokenizerKind>());
  if (tokenizer) {
    options.tokenizer.kind = tokenizer->kind;
    options.tokenizer.vocab_file = tokenizer->vocab_file;
  }
  options.text.paths = one_or_more_paths(texts);
  Regularization& regularization = options.regularization;
  if (const auto dropout = keywords.take<double>("dropout")) {
    regularization.input = regularization.between = regularization.output = *dropout;
  }
  for_each_option(options, OptionTaker(keywords));
  take_data_options(keywords, options.task);
  keywords.expect_none_left();
  options.run.fit_to_minutes = may_fit_to_minutes(options, given);
  return options;
}

py::dict dict_of(const StepReport& report) {
  py::dict dict;
  dict["step"] = report.step;
  dict["tokens"] = report.tokens;
  dict["nats_per_token"] = report.nats_per_token;
  dict["lr"] = report.lr;
  dict["grad_norm"] = report.grad_norm;
  dict["tokens_per_s"] = report.tokens_per_s;
  dict["valid_nats_per_token"] = report.valid_nats_per_token;
  dict["average_valid_nats_per_token"] = report.average_valid_nats_per_token;
  dict["valid_accuracy"] = report.valid_accuracy;
  return dict;
}

py::dict dict_of(const TrainResult& result, const std::vector<std::string>& notes) {
  py::dict dict;
  dict["steps"] = result.steps;
  dict["tokens"] = result.tokens;
  dict["nats_per_token"] = result.nats_per_token;
  dict["best_valid_nats_per_token"] = result.best_valid_nats_per_token;
  dict["best_valid_accuracy"] = result.best_valid_accuracy;
  dict["best_step"] = result.best_step;
  dict["best_is_average"] = result.best_is_average;
  dict["interrupted"] = result.interrupted;
  dict["stopped_early"] = result.stopped_early;
  dict["already_complete"] = result.already_complete;
  dict["notes"] = list_of(notes);
  dict["seconds"] = result.seconds;
  return dict;
}

// Passes on what a run reports. What Python raises ends the run, which is saved, and then the call.
class Reporter {
 public:
  explicit Reporter(const py::object& callback) : callback_(callback) {}

  TrainObserver observer() {
    TrainObserver observer;
    observer.on_note = [this](std::string_view note) { notes_.push_back(with_keywords(note)); };
    if (!callback_.is_none()) observer.on_step = [this](const StepReport& report) { tell(report); };
    observer.stop_requested = [this] { return is_stopped(); };
    return observer;
  }

  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }

  void rethrow() const {
    if (raised_) std::rethrow_exception(raised_);
  }

 private:
  void tell(const StepReport& report) {
    const py::gil_scoped_acquire locked;
    try {
      if (callback_(result_of("StepReport", dict_of(report))).is(py::bool_(false))) is_stopped_ = true;
    } catch (const py::error_already_set&) {
      stop_by_exception();
    }
  }

  bool is_stopped() {
    try {
      if (!is_stopped_) check_signals_();
    } catch (const py::error_already_set&) {
      stop_by_exception();
    }
    return is_stopped_;
  }

  void stop_by_exception() {
    raised_ = std::current_exception();
    is_stopped_ = true;
  }

  const py::object& callback_;
  SignalCheck check_signals_;
  std::vector<std::string> notes_;
  bool is_stopped_ = false;
  std::exception_ptr raised_;
};

py::object train_model(const py::object& texts, const py::object& callback, const py::kwargs& given) {
  const TrainOptions options = train_options(texts, given);
  Reporter reporter(callback);
  TrainResult result;
  {
    const py::gil_scoped_release unlocked;
    result = train(options, reporter.observer());
  }
  reporter.rethrow();
  return result_of("TrainResult", dict_of(result, reporter.notes()));
}

constexpr const char* kTrainText =
    "Trains a network on files and saves it as one model file: a language model, or one for another task.\n\n"
    "train(texts, callback=None, save=PATH, **options): texts is a path or a list of paths. The options are those of "
    "`unroll train`, with _ for - and without the dashes: tokenizer='word', hidden=256, lr=0.01, dropout=0.2, "
    "minutes=2, task='classify', label_column='stars', ...; train_option_names() lists them. Files are equal to those "
    "of the command, byte for byte.\n\n"
    "callback(report) is called after each step with a StepReport (losses in nats per token). If it returns False, or "
    "raises, or with Ctrl-C, what was trained is saved and the run ends; resume=True continues it. Returns a "
    "TrainResult.";

py::list train_option_names() {
  py::list names;
  const TrainOptions options;
  for_each_option(options, [&](const TrainOption& option, const auto&) { names.append(keyword_of(option.field)); });
  return names;
}

}  // namespace

void bind_train(py::module_& module) {
  module.def("train", &train_model, py::arg("texts"), py::arg("callback") = py::none(), kTrainText);
  module.def("train_option_names", &train_option_names,
             "The names of the options of train() that concern network, run and files, as a list of str.");
}

}  // namespace unroll
