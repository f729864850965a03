#include "cli/verbs/eval_labels.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/evaluations/label_evaluation.h"
#include "cli/flags/data_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/flags/shard_flags.h"
#include "cli/shards/label_totals.h"
#include "cli/shards/unit_output.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "unroll/error.h"
#include "unroll/precision.h"

namespace unroll {
namespace {

struct EvalLabelsCommand {
  std::vector<std::string> models;
  LabelledTextOptions texts;
  std::string confusion;  // where it is written; empty: nowhere
  bool json = false;
  bool quiet = false;
  int threads = 0;
  ShardRequest shards;  // and whether an existing file is replaced
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
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  declare_data_flags(&flags, &command.texts);
  declare_shard_flags(&flags, "texts", &command.shards);
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
  std::vector<std::string> inputs = paths;
  inputs.insert(inputs.end(), command.models.begin(), command.models.end());
  finish_shard_flags(flags, inputs, &command.shards);
  refuse_flags_with_shards(flags, command.shards, {"--confusion"}, "it counts all texts");
  if (command.confusion.empty()) return command;
  expect_output("--confusion", command.confusion, inputs, command.shards.overwrite);
  return command;
}

std::string precision_of(const std::vector<Model>& models) {
  std::string words;
  for (const Model& model : models) {
    const std::string name(precision_name(model.precision()));
    if (words.find(name) == std::string::npos) words += (words.empty() ? "" : ", ") + name;
  }
  return words;
}

// The models' classifiers: of their average, and of several each.
struct Classifiers {
  Classifiers(const std::vector<Model>& models, int threads) : average(models, {.threads = threads}) {
    for (const Model& model : models) {
      if (models.size() > 1) alone.emplace_back(model, ClassifierOptions{.threads = threads});
    }
  }

  Classifier average;
  std::vector<Classifier> alone;
};

// The texts, and what is known before any is classified.
LabelEvaluation read_texts_for(const EvalLabelsCommand& command, const std::vector<Model>& models,
                               const Classifier& classifier) {
  if (classifier.multi_label() && !command.confusion.empty()) {
    throw Error(ErrorCode::kUsage, "--confusion is for models that give each text one label");
  }
  LabelEvaluation found;
  found.texts = texts_for(classifier, command.texts);
  found.models = command.models;
  found.precision = precision_of(models);
  return found;
}

CountedInput count_labelled(const LabelledTexts& texts) {
  CountedInput input;
  for (const LabelledText& text : texts.texts) {
    std::string labels;
    for (const std::int32_t label : text.labels) labels += texts.labels[static_cast<std::size_t>(label)] + '\n';
    input.add(labels + text.text);
  }
  return input;
}

// Classifies the texts of a shard, or all of them into a file.
int evaluate_shard(const EvalLabelsCommand& command, const std::vector<Model>& models, Classifiers& classifiers,
                   const LabelEvaluation& about, Terminal& terminal) {
  constexpr std::int64_t kTextsOfBatch = 1024;
  const LabelledTexts& texts = about.texts;
  ShardPlan plan{.verb = "eval classify",
                 .parameters = label_parameters(about, classifiers.average.labels().size()),
                 .unit = "texts",
                 .count = [&texts] { return count_labelled(texts); },
                 .json = command.json};
  for (std::size_t i = 0; i < models.size(); ++i) plan.models.push_back(model_hash(models[i], command.models[i]));
  UnitOutput out(command.shards, plan, terminal);
  if (out.is_complete()) return 0;
  out.end_head();
  for (std::int64_t at = out.units().first; at < out.units().last;) {
    const std::int64_t count = std::min(kTextsOfBatch, out.units().last - at);
    const auto part = std::span(texts.texts).subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
    const auto name = [&](std::size_t i) { return texts.place(static_cast<std::size_t>(at) + i); };
    const std::vector<AnsweredText> answered = answer_part(classifiers.average, texts, part, name);
    std::vector<std::vector<AnsweredText>> alone;
    for (Classifier& one : classifiers.alone) alone.push_back(answer_part(one, texts, part, name));
    for (std::size_t i = 0; i < part.size(); ++i) {
      std::vector<AnsweredText> of_each;
      for (const std::vector<AnsweredText>& one : alone) of_each.push_back(one[i]);
      out.end_unit(sums_of(part[i], answered[i], of_each));
    }
    out.flush();
    at += count;
  }
  out.finish();
  return 0;
}

// Answers to all texts, and what follows from them.
void evaluate_texts(Classifiers& classifiers, LabelEvaluation& found, Terminal& terminal) {
  found.answered = answer_texts(classifiers.average, found.texts, terminal);
  found.notes = notes_on_texts(found.texts, classifiers.average.labels().size(), found.answered.cut);
  for (Classifier& one : classifiers.alone) found.alone.push_back(answer_texts(one, found.texts, terminal));
  judge_answers(found);
}

double texts_per_s(const LabelEvaluation& found) {
  const double seconds = found.answered.seconds;
  return seconds > 0 ? static_cast<double>(found.texts.texts.size()) / seconds : 0;
}

}  // namespace

int run_eval_labels(const std::vector<std::string>& arguments, const FirstModel& first) {
  const std::optional<EvalLabelsCommand> parsed = parse_eval_labels(arguments);
  if (!parsed) return 0;
  const EvalLabelsCommand& command = *parsed;
  Terminal terminal(command.quiet);
  std::vector<Model> models;
  for (const std::string& path : command.models) models.push_back(first.load(path));
  Classifiers classifiers(models, command.threads);
  LabelEvaluation found = read_texts_for(command, models, classifiers.average);
  if (command.shards.reads_twice()) return evaluate_shard(command, models, classifiers, found, terminal);
  evaluate_texts(classifiers, found, terminal);
  if (!command.confusion.empty()) write_confusion(command.confusion, found.cells, found.texts.labels);
  Output out;
  out.write(command.json ? label_json(found, texts_per_s(found)) : label_table(found, texts_per_s(found)));
  out.flush();
  return 0;
}

}  // namespace unroll
