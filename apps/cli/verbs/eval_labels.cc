#include "cli/verbs/eval_labels.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/flags/data_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/streams/escaped.h"
#include "cli/streams/label_report.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/answered_texts.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/precision.h"

namespace unroll {
namespace {

struct EvalLabelsCommand {
  std::vector<std::string> models;
  LabelledTextOptions texts;
  std::string confusion;  // where it is written; empty: nowhere
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
  int threads = 0;
};

std::optional<EvalLabelsCommand> parse_eval_labels(const std::vector<std::string>& arguments) {
  EvalLabelsCommand command;
  std::string model;
  Flags flags("unroll eval MODEL... FILE... [flags]",
              "Measures how well a model classifies labelled texts: accuracy, precision, recall and F1 of each label, "
              "which label is taken for which. Several models with the same labels are averaged: what ends in "
              ".safetensors or begins like a model file is a model.");
  flags.heading("Flags");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &model);
  flags.text({"--task", "classify", "what the model does; with --help, whose flags are listed", "that of the model"},
             [](const std::string&) {});
  flags.path({"--confusion", "FILE", "write the confusion as CSV: a row per right label, a column per answer", ""},
             &command.confusion);
  flags.toggle({"--overwrite", "", "replace an existing FILE", ""}, &command.overwrite);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  declare_data_flags(&flags, &command.texts);
  flags.example("unroll eval reviews.safetensors test.csv", "The report, and the confusion.");
  flags.example("unroll eval reviews.safetensors test.csv --json | jq .macro_f1", "For programs.");
  flags.example("unroll eval a.safetensors b.safetensors test.csv", "Each model, and the average of both.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.texts.paths = flags.positionals();
  command.models = {take_model(model, &command.texts.paths)};
  std::vector<std::string>& paths = command.texts.paths;
  const auto first_text = std::stable_partition(paths.begin(), paths.end(), is_model_file);
  command.models.insert(command.models.end(), paths.begin(), first_text);
  paths.erase(paths.begin(), first_text);
  if (paths.empty()) throw Error(ErrorCode::kUsage, "which FILE? Give MODEL and then labelled texts");
  expect_one_standard_input(paths);
  if (command.confusion.empty()) return command;
  std::vector<std::string> inputs = paths;
  inputs.insert(inputs.end(), command.models.begin(), command.models.end());
  expect_output("--confusion", command.confusion, inputs, command.overwrite);
  return command;
}

LabelReport report_on(const LabelledTexts& texts, const LabelSets& right, const LabelSets& answers) {
  const auto K = static_cast<std::int64_t>(texts.labels.size());
  return {.names = texts.labels,
          .figures = judge_labels(right, answers, K),
          .intervals = bootstrap_f1(right, answers, K, {.resamples = resamples_in_seconds(std::ssize(right))}),
          .has_sets = texts.multi_label};
}

// Everything that is printed.
struct LabelEvaluation {
  LabelledTexts texts;
  AnsweredTexts answered;
  LabelReport report;
  std::vector<ConfusionCell> cells;  // of one label a text
  std::vector<AnsweredTexts> alone;  // of several models, each
  std::string precision;
  std::vector<std::string> notes;  // on the texts
};

nlohmann::ordered_json number_or_null(const std::optional<double>& number) {
  return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json();
}

// Accuracy and macro F1 of one model of several.
Classification figures_alone(const LabelEvaluation& found, const AnsweredTexts& alone) {
  return judge_labels(right_labels(found.texts), alone.answers, std::ssize(found.texts.labels));
}

double texts_per_s(const LabelEvaluation& found) {
  const double seconds = found.answered.seconds;
  return seconds > 0 ? static_cast<double>(found.texts.texts.size()) / seconds : 0;
}

std::string evaluation_json(const EvalLabelsCommand& command, const LabelEvaluation& found) {
  nlohmann::ordered_json object;
  put_report(&object, found.report);
  object["nats_per_text"] = number_or_null(found.answered.nats.nats_per_text);
  object["texts_without_nats"] = found.answered.nats.left_out;
  object["calibration_error"] = number_or_null(found.answered.calibration_error);
  nlohmann::ordered_json& cells = object["confusion"] = nlohmann::ordered_json::array();
  for (const ConfusionCell& cell : found.cells) {
    cells.push_back({{"label", found.texts.labels[static_cast<std::size_t>(cell.right)]},
                     {"answer", found.texts.labels[static_cast<std::size_t>(cell.answer)]},
                     {"texts", cell.texts}});
  }
  for (const std::string& note : found.notes) object["notes"].push_back(note);
  object["multi_label"] = found.texts.multi_label;
  object["precision"] = found.precision;
  object["texts_per_s"] = texts_per_s(found);
  for (std::size_t i = 0; i < found.alone.size(); ++i) {
    const Classification figures = figures_alone(found, found.alone[i]);
    object["models"].push_back({{"model", command.models[i]},
                                {"accuracy", figures.exact.share()},
                                {"macro_f1", number_or_null(figures.macro.f1)},
                                {"nats_per_text", number_or_null(found.alone[i].nats.nats_per_text)}});
  }
  return json_line(object);
}

std::string evaluation_table(const EvalLabelsCommand& command, const LabelEvaluation& found) {
  std::string text;
  for (std::size_t i = 0; i < found.alone.size(); ++i) {
    text += fmt::format("model {:<15} {:.4f} accuracy  {}\n", i + 1, figures_alone(found, found.alone[i]).exact.share(),
                        visible(command.models[i]));
  }
  if (!found.alone.empty()) text += fmt::format("average of {} models:\n", found.alone.size());
  text += report_table(found.report);
  for (const std::string& note : found.notes) text += fmt::format("note: {}\n", visible(note));
  if (!found.cells.empty()) text += "\n" + confusion_table(found.cells, found.texts.labels);
  const std::int64_t left_out = found.answered.nats.left_out;
  text += fmt::format("\nnats per text         {}{}\n", figure(found.answered.nats.nats_per_text),
                      left_out == 0 ? "" : fmt::format("  (without those of unknown labels: {})", grouped(left_out)));
  text += fmt::format("calibration error     {}\n", figure(found.answered.calibration_error));
  text += fmt::format("precision             {}\n", found.precision);
  text += fmt::format("speed                 {} texts/s\n", grouped(static_cast<std::int64_t>(texts_per_s(found))));
  return text;
}

LabelEvaluation evaluate_labels(const EvalLabelsCommand& command, const FirstModel& first, Terminal& terminal) {
  std::vector<Model> models;
  for (const std::string& path : command.models) models.push_back(first.load(path));
  Classifier classifier(models, {.threads = command.threads});
  LabelledTextOptions options = command.texts;
  if (options.multi_label && !classifier.multi_label()) {
    throw Error(ErrorCode::kUsage, "--multi-label: the model gives each text one label");
  }
  options.multi_label = classifier.multi_label();
  if (options.multi_label && !command.confusion.empty()) {
    throw Error(ErrorCode::kUsage, "--confusion is for models that give each text one label");
  }
  LabelEvaluation found;
  found.texts = read_labelled_texts(options);
  renumber_labels(found.texts, classifier.labels());
  found.answered = answer_texts(classifier, found.texts, terminal);
  found.notes = notes_on_texts(found.texts, classifier.labels().size(), found.answered.cut);
  const LabelSets right = right_labels(found.texts);
  found.report = report_on(found.texts, right, found.answered.answers);
  if (!options.multi_label) found.cells = confusion(single_labels(right), single_labels(found.answered.answers));
  for (const Model& model : models) {
    const std::string name(precision_name(model.precision()));
    if (found.precision.find(name) == std::string::npos)
      found.precision += (found.precision.empty() ? "" : ", ") + name;
    if (models.size() == 1) break;
    Classifier alone(model, {.threads = command.threads});
    found.alone.push_back(answer_texts(alone, found.texts, terminal));
  }
  return found;
}

}  // namespace

int run_eval_labels(const std::vector<std::string>& arguments, const FirstModel& first) {
  const std::optional<EvalLabelsCommand> parsed = parse_eval_labels(arguments);
  if (!parsed) return 0;
  const EvalLabelsCommand& command = *parsed;
  Terminal terminal(command.quiet);
  const LabelEvaluation found = evaluate_labels(command, first, terminal);
  if (!command.confusion.empty()) write_confusion(command.confusion, found.cells, found.texts.labels);
  Output out;
  out.write(command.json ? evaluation_json(command, found) : evaluation_table(command, found));
  out.flush();
  return 0;
}

}  // namespace unroll
