#include "cli/verbs/tune_answers.h"

#include <optional>

#include "cli/flags/data_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/streams/output.h"
#include "cli/streams/terminal.h"
#include "cli/streams/tuning_report.h"
#include "cli/verbs/answered_texts.h"
#include "unroll/error.h"
#include "unroll/exchange/answers_saved.h"

namespace unroll {
namespace {

struct TuneAnswersCommand {
  std::string model;
  LabelledTextOptions texts;
  std::string target;
  TuneTarget parsed;
  std::string save;  // empty: nowhere
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
  int threads = 0;
};

std::optional<TuneAnswersCommand> parse_tune_answers(const std::vector<std::string>& arguments) {
  TuneAnswersCommand command;
  Flags flags(
      "unroll tune MODEL FILE... --for TARGET [flags]",
      "Chooses when a classifier answers a label, on labelled texts that it was not trained on: thresholds of "
      "probabilities, or of labels of which a text has one, factors. Prints what each choice gives, the figures "
      "before and after, and flags for classify; --save writes a model that answers so.");
  flags.heading("Choice");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--task", "classify", "what the model does; with --help, whose flags are listed", "that of the model"},
             [](const std::string&) {});
  flags.text({"--for", "TARGET",
              "what to make as large as possible: accuracy, f1, macro_f1, f1:LABEL; p@r:0.9[:LABEL], precision where "
              "recall is at least 0.9; r@p:0.9[:LABEL], recall where precision is at least 0.9. Required",
              ""},
             [&command](const std::string& text) {
               command.target = text;
               command.parsed = parse_tune_target(text);
             });
  flags.path({"--save", "MODEL2", "write a model that answers so, and is equal otherwise", ""}, &command.save);
  flags.toggle({"--overwrite", "", "replace an existing MODEL2", ""}, &command.overwrite);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  declare_data_flags(&flags, &command.texts);
  flags.example("unroll tune reviews.safetensors valid.txt --for macro_f1", "Factors of labels, and what they gain.");
  flags.example("unroll tune spam.safetensors valid.txt --for p@r:0.9:spam --save tuned.safetensors",
                "At least 90% of the spam is found, with as few false alarms as possible.");
  flags.example("unroll tune subjects.safetensors valid.txt --for r@p:0.95",
                "Answers only where 95% are right, for as many texts as possible.");
  if (!flags.parse(arguments)) return std::nullopt;
  if (command.target.empty()) {
    throw Error(ErrorCode::kUsage, "what to tune for? Give --for macro_f1, f1:LABEL, p@r:0.9:LABEL, ...");
  }
  command.texts.paths = flags.positionals();
  command.model = take_model(command.model, &command.texts.paths);
  if (command.texts.paths.empty()) throw Error(ErrorCode::kUsage, "which FILE? Give MODEL and then labelled texts");
  std::vector<std::string> inputs = command.texts.paths;
  inputs.push_back(command.model);
  expect_one_standard_input(inputs);
  if (!command.save.empty()) expect_output("--save", command.save, inputs, command.overwrite);
  return command;
}

TuningReport tune_on(const TuneAnswersCommand& command, const Model& model, Terminal& terminal) {
  Classifier classifier(model, {.threads = command.threads});
  const LabelledTexts texts = texts_for(classifier, command.texts);
  const std::vector<ClassifiedText> said = classify_texts(classifier, texts, terminal);
  const LabelSets right = right_labels(texts);
  std::int64_t cut = 0;
  for (const ClassifiedText& text : said) cut += text.was_cut ? 1 : 0;
  return {.target = command.target,
          .parsed = command.parsed,
          .labels = classifier.labels(),
          .texts = std::ssize(said),
          .present = classifier.rule(),
          .tuning = tune_answers({texts.labels, said, right, texts.multi_label}, classifier.rule(), command.parsed),
          .notes = notes_on_texts(texts, classifier.labels().size(), cut)};
}

}  // namespace

int run_tune_answers(const std::vector<std::string>& arguments, const FirstModel& first) {
  const std::optional<TuneAnswersCommand> parsed = parse_tune_answers(arguments);
  if (!parsed) return 0;
  const TuneAnswersCommand& command = *parsed;
  Terminal terminal(command.quiet);
  const Model model = first.load(command.model);
  const TuningReport report = tune_on(command, model, terminal);
  Output out;
  out.write(command.json ? tuning_json(report) : tuning_table(report));
  out.flush();
  if (!report.tuning.is_reached) {
    throw Error(ErrorCode::kInput, why_unreached(report) + (command.save.empty() ? "" : "; nothing was saved"));
  }
  if (!command.save.empty()) save_with_rule(model, report.tuning.rule, command.save);
  return 0;
}

}  // namespace unroll
