#include "cli/verbs/eval_tags.h"

#include <fmt/core.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/flags/column_flags.h"
#include "cli/flags/flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "json/json_text.h"
#include "unroll/data/columns.h"
#include "unroll/error.h"
#include "unroll/label/tagger.h"

namespace unroll {
namespace {

constexpr double kUnseenSeconds = 2;  // nobody needs a progress line for what is over before they read it

struct EvalTagsCommand {
  std::string model;
  std::vector<std::string> files;
  ColumnOptions columns;
  TagEvaluationOptions options;
  bool json = false;
  bool quiet = false;
};

std::optional<EvalTagsCommand> parse_eval_tags(const std::vector<std::string>& arguments) {
  EvalTagsCommand command;
  Flags flags(
      "unroll eval MODEL FILE... [flags]",
      "Measures how well a model tags words, whose right tags are in a column of FILE: accuracy, and precision, "
      "recall and F1 of each tag, or of spans where tags mark some.");
  bool strict = false;
  flags.heading("Text");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.text({"--task", "NAME", "tag; for --help", "that of the model"}, [](const std::string&) {});
  declare_column_flags(&flags, &command.columns);
  flags.heading("Run");
  flags.toggle({"--strict", "",
                "count only spans that their scheme marks in full, as seqeval's strict mode does; else all that "
                "conlleval counts",
                ""},
               &strict);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.options.threads = static_cast<int>(n); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.toggle({"--quiet", "", "no progress on standard error", ""}, &command.quiet);
  flags.example("unroll eval chunks.safetensors test.txt", "A table for people.");
  flags.example("unroll eval pos.safetensors test.conllu --column xpos --json | jq .accuracy", "For programs.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.files = flags.positionals();
  command.model = take_model(command.model, &command.files);
  command.options.rule = strict ? SpanRule::kStrict : SpanRule::kConlleval;
  if (command.files.empty()) throw Error(ErrorCode::kUsage, "which FILE? Give MODEL and then tagged words");
  expect_one_standard_input(command.files);
  return command;
}

std::string_view rule_words(SpanRule rule) { return rule == SpanRule::kStrict ? "strict" : "conlleval"; }

std::string shown(const std::optional<double>& number) { return number ? fmt::format("{:.4f}", *number) : "–"; }

std::string shown(const std::optional<Interval>& interval) {
  return interval ? fmt::format("  95%: {:.4f} to {:.4f}", interval->low, interval->high) : "";
}

std::string shown(const Proportion& proportion) {
  return proportion.of == 0 ? "–" : fmt::format("{:.4f}", proportion.share());
}

LabelAverages figures_of(const HitCounts& counts) {
  return {.precision = counts.precision(), .recall = counts.recall(), .f1 = counts.f1()};
}

// Rows of precision, recall, F1 and support.
class FigureRows {
 public:
  explicit FigureRows(std::size_t width) : width_(width) {
    text_ = fmt::format("{:<{}}  {:>9}  {:>9}  {:>9}  {:>9}\n", "", width, "precision", "recall", "F1", "support");
  }
  // libfmt pads by width, and "–" is a character of three bytes.
  void row(const std::string& name, const LabelAverages& figures, std::int64_t support) {
    text_ += fmt::format("{:<{}}  {:>9}  {:>9}  {:>9}  {:>9}\n", name, width_, shown(figures.precision),
                         shown(figures.recall), shown(figures.f1), grouped(support));
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::size_t width_;
  std::string text_;
};

using NamedCounts = std::vector<std::pair<std::string, HitCounts>>;

// Of spans, their types; else the tags that occur on either side.
NamedCounts counts_of(const TagEvaluation& result) {
  if (result.spans) return {result.spans->types().begin(), result.spans->types().end()};
  NamedCounts counts;
  for (std::size_t i = 0; i < result.tags.size(); ++i) {
    const HitCounts& its = result.by_tag.labels[i];
    if (its.support + its.answered > 0) counts.emplace_back(result.tags[i], its);
  }
  return counts;
}

std::string figures_table(const TagEvaluation& result) {
  constexpr std::string_view kMacro = "macro average";
  const NamedCounts counts = counts_of(result);
  std::size_t width = kMacro.size();
  for (const auto& [name, its] : counts) width = std::max(width, escaped(name).size());
  FigureRows rows(width);
  std::int64_t support = 0;
  for (const auto& [name, its] : counts) {
    rows.row(escaped(name), figures_of(its), its.support);
    support += its.support;
  }
  rows.row("all", result.spans ? result.spans->micro() : result.by_tag.micro, support);
  rows.row(std::string(kMacro), result.spans ? result.spans->macro() : result.by_tag.macro, support);
  return rows.text();
}

std::string as_table(const EvalTagsCommand& command, const TagEvaluation& result) {
  std::string text;
  text += fmt::format("words                 {} in {} sentences\n", grouped(result.accuracy.of),
                      grouped(result.exact_sentences.of));
  text += fmt::format("accuracy              {}{}\n", shown(result.accuracy), shown(result.accuracy_interval));
  text += fmt::format("  of unknown words    {}  ({} words)\n", shown(result.accuracy_new_words),
                      grouped(result.accuracy_new_words.of));
  text += fmt::format("whole sentences       {}\n", shown(result.exact_sentences));
  text += fmt::format("nats per word         {}\n", shown(result.nats_per_word));
  if (result.spans) {
    text +=
        fmt::format("F1 of spans           {}{}\n", shown(result.spans->micro().f1), shown(result.span_f1_interval));
    text +=
        fmt::format("  scheme, rule        {}, {}\n", tag_scheme_name(result.scheme), rule_words(command.options.rule));
  }
  text += "\n" + figures_table(result);
  for (const std::string& note : result.notes) text += fmt::format("note: {}\n", visible(note));
  return text;
}

nlohmann::ordered_json share_or_null(const Proportion& proportion) {
  return proportion.of > 0 ? nlohmann::ordered_json(proportion.share()) : nlohmann::ordered_json();
}

nlohmann::ordered_json figures_json(const TagEvaluation& result) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& [name, counts] : counts_of(result)) {
    list.push_back({{result.spans ? "type" : "tag", name},
                    {"precision", or_null(counts.precision())},
                    {"recall", or_null(counts.recall())},
                    {"f1", or_null(counts.f1())},
                    {"support", counts.support},
                    {"answered", counts.answered},
                    {"hits", counts.hits}});
  }
  return list;
}

std::string as_json(const EvalTagsCommand& command, const TagEvaluation& result) {
  nlohmann::ordered_json object{{"sentences", result.exact_sentences.of},
                                {"words", result.accuracy.of},
                                {"accuracy", share_or_null(result.accuracy)},
                                {"accuracy_interval", or_null(result.accuracy_interval)},
                                {"unknown_words", result.accuracy_new_words.of},
                                {"accuracy_unknown_words", share_or_null(result.accuracy_new_words)},
                                {"exact_sentences", share_or_null(result.exact_sentences)},
                                {"nats_per_word", or_null(result.nats_per_word)},
                                {"unknown_tags", result.unknown_tags},
                                {"scheme", tag_scheme_name(result.scheme)}};
  object["span_f1"] = nullptr;
  if (result.spans) {
    const LabelAverages micro = result.spans->micro();
    object["rule"] = rule_words(command.options.rule);
    object["span_f1"] = or_null(micro.f1);
    object["span_f1_interval"] = or_null(result.span_f1_interval);
    object["span_precision"] = or_null(micro.precision);
    object["span_recall"] = or_null(micro.recall);
    object["span_macro_f1"] = or_null(result.spans->macro().f1);
    object["invalid_sentences"] = result.invalid_sentences;
  }
  object["macro_f1"] = or_null(result.by_tag.macro.f1);
  object[result.spans ? "types" : "tags"] = figures_json(result);
  object["notes"] = result.notes;
  return json_line(object);
}

}  // namespace

int run_eval_tags(const std::vector<std::string>& arguments, const FirstModel& first) {
  std::optional<EvalTagsCommand> parsed = parse_eval_tags(arguments);
  if (!parsed) return 0;
  EvalTagsCommand& command = *parsed;
  Terminal terminal(command.quiet);
  const Model model = first.load(command.model);
  command.columns.usual_tag_column = model.task().column;
  const TaggedTexts texts = read_tagged_texts(command.files, command.columns);
  const auto start = std::chrono::steady_clock::now();
  command.options.progress = [&](std::int64_t done, std::int64_t total) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (seconds < kUnseenSeconds || !terminal.live_due()) return;
    terminal.live(fmt::format("evaluating  {}%", 100 * done / total));
  };
  const TagEvaluation result = evaluate_tags(model, texts, command.options);
  terminal.keep_live();
  Output out;
  out.write(command.json ? as_json(command, result) : as_table(command, result));
  out.flush();
  return 0;
}

}  // namespace unroll
