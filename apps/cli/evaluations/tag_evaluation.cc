#include "cli/evaluations/tag_evaluation.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/streams/escaped.h"
#include "cli/streams/quantities.h"
#include "json/json_text.h"

namespace unroll {
namespace {

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

}  // namespace

std::string tag_evaluation_table(SpanRule rule, const TagEvaluation& result) {
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
    text += fmt::format("  scheme, rule        {}, {}\n", tag_scheme_name(result.scheme), rule_words(rule));
  }
  text += "\n" + figures_table(result);
  for (const std::string& note : result.notes) text += fmt::format("note: {}\n", visible(note));
  return text;
}

std::string tag_evaluation_json(SpanRule rule, const TagEvaluation& result) {
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
    object["rule"] = rule_words(rule);
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

}  // namespace unroll
