#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/data_flags.h"
#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/flags/shard_flags.h"
#include "cli/shards/count_totals.h"
#include "cli/shards/unit_output.h"
#include "cli/streams/escaped.h"
#include "cli/streams/explained_text.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "cli/streams/text_batches.h"
#include "cli/verbs/task_models.h"
#include "cli/verbs/verbs.h"
#include "json/answers.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/label/classifier.h"
#include "unroll/label/explanation.h"
#include "unroll/text.h"

namespace unroll {
namespace {

struct ClassifyCommand {
  std::vector<std::string> models;
  LabelledTextOptions texts;
  ClassifierOptions options;
  std::optional<std::size_t> most;  // labels of a text: so many of the most probable ones, instead of its answers
  bool all = false;                 // every label, instead
  bool explain = false;
  std::string html;  // where explanations go as a page; empty: nowhere
  bool json = false;
  bool quiet = false;
  ShardRequest shards;  // and whether an existing page is replaced
};

void add_factor(const std::string& text, ClassifierOptions& options) {
  const std::size_t at = text.rfind('=');
  if (at == std::string::npos || at == 0) throw Error(ErrorCode::kUsage, "expected LABEL=FACTOR");
  options.factors.emplace_back(text.substr(0, at), parse_number(text.substr(at + 1), {1e-300, 1e300}));
}

void add_threshold(const std::string& text, ClassifierOptions& options) {
  constexpr NumberRange kShare{0, 1};
  const std::size_t at = text.rfind('=');
  if (at == std::string::npos) {
    options.threshold = parse_number(text, kShare);
  } else {
    options.thresholds.emplace_back(text.substr(0, at), parse_number(text.substr(at + 1), kShare));
  }
}

void add_flags(Flags& flags, std::string& model, ClassifyCommand& command) {
  flags.heading("Answers");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &model);
  flags.whole({"--top-k,-k", "N", "the N most probable labels of each text, whatever their thresholds", ""},
              {1, kLargestSize}, [&command](std::int64_t n) { command.most = static_cast<std::size_t>(n); });
  flags.toggle({"--all", "", "every label of the model, the most probable one first", ""}, &command.all);
  flags.texts(
      {"--threshold", "[L=]P", "answer a label, or L alone, only from this probability on; may be given several times",
       "the model's own; 0 where a text has one label"},
      [&command](const std::string& text) { add_threshold(text, command.options); });
  flags.texts({"--factor", "L=F",
               "multiply the probability of L by F before the largest one is the answer; may be given several times",
               "the model's own; 1 unless it was tuned"},
              [&command](const std::string& text) { add_factor(text, command.options); });
  flags.exclusive({"--top-k", "--all", "--threshold"});
  flags.toggle({"--explain", "",
                "how much each token speaks for the most probable label: colours on a terminal, elsewhere rows of "
                "attribution, probability that is lost without the token, token",
                ""},
               &command.explain);
  flags.path({"--html", "FILE", "write the explanations as a page, too", ""}, &command.html);
  flags.toggle({"--json", "", "a JSON object per text, with the probability of each label", ""}, &command.json);
  flags.heading("Run");
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  declare_text_flags(&flags, &command.texts);
  declare_shard_flags(&flags, "texts", &command.shards);
}

void check_explanation(ClassifyCommand& command) {
  command.explain = command.explain || !command.html.empty();
  if (!command.explain) return;
  if (command.all || command.most) {
    throw Error(ErrorCode::kUsage, "--explain is about the most probable label: leave --top-k and --all out");
  }
  if (command.models.size() > 1) throw Error(ErrorCode::kUsage, "--explain takes one MODEL");
  if (command.html.empty()) return;
  std::vector<std::string> inputs = command.models;
  inputs.push_back(command.texts.paths.front());
  expect_output("--html", command.html, inputs, command.shards.overwrite);
}

std::optional<ClassifyCommand> parse_classify(const std::vector<std::string>& arguments) {
  ClassifyCommand command;
  command.texts.label_column.clear();
  command.texts.labels_needed = false;
  command.texts.multi_label = true;
  Flags flags(
      "unroll classify MODEL... [TEXT|-] [flags]",
      "Answers each text with its label and the label's probability, separated by a tab: a line of output for each "
      "text, "
      "in order, blank ones too. TEXT has a text per line, or is what --format says; .gz is unpacked; without it "
      "standard input is read, and a line that comes through a pipe is answered at once. Probabilities of several "
      "models are averaged. Labels in TEXT are not read.");
  std::string model;
  add_flags(flags, model, command);
  flags.example("unroll classify reviews.safetensors new.txt", "The label of each line.");
  flags.example("echo 'what a film' | unroll classify reviews.safetensors --all", "The probability of each label.");
  flags.example("unroll classify reviews.safetensors new.csv --text-column body --json | jq .label", "For programs.");
  flags.example("unroll classify spam.safetensors mail.txt --threshold spam=0.99",
                "No answer, an empty line, where spam is the most probable label but not that probable.");
  flags.example("echo 'what a film' | unroll classify reviews.safetensors --explain --html why.html",
                "What speaks for the label, and what against it.");
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> positionals = flags.positionals();
  command.models = {take_model(model, &positionals)};
  const auto first_text = std::stable_partition(positionals.begin(), positionals.end(), is_model_file);
  command.models.insert(command.models.end(), positionals.begin(), first_text);
  positionals.erase(positionals.begin(), first_text);
  command.texts.paths = {take_text("classify", positionals)};
  check_explanation(command);
  std::vector<std::string> inputs = command.models;
  inputs.push_back(command.texts.paths.front());
  finish_shard_flags(flags, inputs, &command.shards);
  refuse_flags_with_shards(flags, command.shards, {"--html"}, "a page is about all texts");
  return command;
}

// Classifies texts batch by batch and prints their labels.
class TextLabels {
 public:
  // Classifies the texts that `out` still needs.
  TextLabels(const ClassifyCommand& command, std::vector<Model> models, UnitOutput& out)
      : command_(command),
        out_(out),
        batches_(command.texts, text_coding(models.front().tokenizer().kind()), out.units()),
        classifier_(models, command.options) {
    if (command.explain) explainer_.emplace(models.front(), command.options.threads);
  }

  void run() {
    constexpr std::size_t kMostProbabilities = std::size_t{1} << 20;
    const std::size_t most = std::max<std::size_t>(1, kMostProbabilities / classifier_.labels().size());
    out_.end_head();
    while (batches_.next(texts_, most)) {
      answer();
      out_.flush();
    }
    out_.finish();
    if (!command_.html.empty()) write_page();
  }

  // What was odd about the texts; empty: nothing.
  [[nodiscard]] std::vector<std::string> notes() const {
    std::vector<std::string> notes;
    if (unknown_ > 0) {
      notes.push_back(fmt::format("{} of {} tokens are unknown to the model", grouped(unknown_), grouped(tokens_)));
    }
    if (cut_ > 0) {
      notes.push_back(fmt::format("{} text{} longer than 4,096 tokens, of which the first were read: {}", grouped(cut_),
                                  cut_ == 1 ? " is" : "s are", first_cut_));
    }
    return notes;
  }

 private:
  void answer() {
    try {
      print(texts_);
    } catch (const Error& error) {
      // The texts before the one that is to blame get their lines all the same.
      if (error.index()) print(std::span(texts_).first(static_cast<std::size_t>(*error.index())));
      out_.flush();
      throw;
    }
  }

  void print(std::span<const std::string> texts) {
    const std::vector<ClassifiedText> classified =
        classifier_.classify(texts, [this](std::size_t index) { return batches_.name(index); });
    for (std::size_t i = 0; i < classified.size(); ++i) {
      count(classified[i], i);
      std::optional<Explanation> explanation;
      if (explainer_) explanation = explainer_->explain(texts[i]);
      const Explanation* const why = explanation ? &*explanation : nullptr;
      out_.text().write(command_.json ? json_of(texts[i], classified[i], why) : line_of(classified[i]));
      if (why != nullptr) print_explanation(texts[i], *why);
      out_.end_unit({.counts = {classified[i].tokens, classified[i].unknown_tokens, classified[i].was_cut ? 1 : 0}});
    }
  }

  void print_explanation(const std::string& text, const Explanation& why) {
    if (!command_.json) out_.text().write(colours_ ? coloured_text(text, why) : explained_rows(why));
    if (!command_.html.empty()) page_ += explained_html(text, why, name(why.label));
  }

  void write_page() const {
    std::ofstream file(command_.html, std::ios::binary);
    file << html_page(page_);
    if (!file.flush()) throw Error(ErrorCode::kFile, fmt::format("cannot write {}", text_name(command_.html)));
  }

  void count(const ClassifiedText& text, std::size_t index) {
    tokens_ += text.tokens;
    unknown_ += text.unknown_tokens;
    if (text.was_cut && cut_++ == 0) first_cut_ = batches_.name(index);
  }

  // The labels that are shown of a text, the most probable one first.
  [[nodiscard]] std::vector<std::int32_t> shown(const ClassifiedText& text) const {
    if (!command_.all && !command_.most) return classifier_.answers(text);
    std::vector<std::int32_t> labels = classifier_.ranked(text);
    if (command_.most) labels.resize(std::min(labels.size(), *command_.most));
    return labels;
  }

  [[nodiscard]] const std::string& name(std::int32_t label) const {
    return classifier_.labels()[static_cast<std::size_t>(label)];
  }

  [[nodiscard]] std::string line_of(const ClassifiedText& text) const {
    std::string line;
    for (const std::int32_t label : shown(text)) {
      const double probability = text.probabilities[static_cast<std::size_t>(label)];
      line += fmt::format("{}{}\t{}", line.empty() ? "" : "\t", escaped(name(label)), probability);
    }
    return line + '\n';
  }

  // `why` may be null.
  [[nodiscard]] std::string json_of(const std::string& text, const ClassifiedText& classified,
                                    const Explanation* why) const {
    nlohmann::ordered_json object = classified_json(text, classified, classifier_, command_.most);
    if (why != nullptr) object["explanation"] = explanation_json(*why, name(why->label));
    return json_line(object);
  }

  const ClassifyCommand& command_;
  UnitOutput& out_;
  TextBatches batches_;
  Classifier classifier_;
  std::optional<Explainer> explainer_;
  bool colours_ = !out_.is_file() && standard_output_has_colours();
  std::string page_;
  std::vector<std::string> texts_;
  std::int64_t tokens_ = 0;
  std::int64_t unknown_ = 0;
  std::int64_t cut_ = 0;
  std::string first_cut_;
};

ShardPlan plan_of(const ClassifyCommand& command, const std::vector<Model>& models) {
  ShardPlan plan{
      .verb = "classify",
      .parameters = count_parameters("texts", {"tokens", "unknown tokens", "cut texts"}),
      .unit = "texts",
      .count = [&command,
                coding = text_coding(models.front().tokenizer().kind())] { return count_texts(command.texts, coding); },
      .inputs = command.texts.paths};
  for (std::size_t i = 0; i < models.size(); ++i) plan.models.push_back(model_hash(models[i], command.models[i]));
  return plan;
}

}  // namespace

int run_classify(const std::vector<std::string>& arguments) {
  const std::optional<ClassifyCommand> command = parse_classify(arguments);
  if (!command) return 0;
  Terminal terminal(command->quiet);
  std::vector<Model> models;
  for (const std::string& path : command->models) models.push_back(load_model_for(path, TaskKind::kClassify));
  UnitOutput out(command->shards, plan_of(*command, models), terminal);
  if (out.is_complete()) return 0;
  TextLabels labels(*command, std::move(models), out);
  labels.run();
  for (const std::string& note : labels.notes()) terminal.line(note);
  return 0;
}

}  // namespace unroll
