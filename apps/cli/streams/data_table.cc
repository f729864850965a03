#include "cli/streams/data_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "cli/flags/field_flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/quantities.h"
#include "unroll/character.h"

namespace unroll {
namespace {

constexpr std::size_t kMostShownLabels = 20;
constexpr std::size_t kMostShownCharacters = 40;
constexpr int kNameWidth = 22;
constexpr int kNumberWidth = 12;

double share_of_texts(std::int64_t texts, const TextsSummary& of) {
  return of.texts == 0 ? 0 : static_cast<double>(texts) / static_cast<double>(of.texts);
}

// Rows with a column for training, and one for the texts to test on if there are any.
class DataRows {
 public:
  explicit DataRows(const DataReport& report) : report_(report) {
    if (tests())
      text_ = fmt::format("{:<{}}{:>{}}{:>{}}\n", "", kNameWidth, "training", kNumberWidth, "test", kNumberWidth);
  }

  void row(std::string_view name, const std::string& train, const std::string& test) {
    text_ += fmt::format("{:<{}}{:>{}}", name, kNameWidth, train, kNumberWidth);
    if (tests()) text_ += fmt::format("{:>{}}", test, kNumberWidth);
    text_ += '\n';
  }
  void count(std::string_view name, std::int64_t train, std::int64_t test) { row(name, grouped(train), grouped(test)); }
  void number(std::string_view name, double train, double test) {
    row(name, fmt::format("{:.1f}", train), fmt::format("{:.1f}", test));
  }
  void lengths(std::string_view unit, LengthSummary TextsSummary::*lengths) {
    const LengthSummary& train = report_.train.*lengths;
    const LengthSummary& test = report_.test.*lengths;
    count(fmt::format("{}, fewest", unit), train.min, test.min);
    number("  median", train.median, test.median);
    number("  mean", train.mean, test.mean);
    count("  95% have at most", train.p95, test.p95);
    count("  most", train.max, test.max);
  }

  [[nodiscard]] bool tests() const noexcept { return report_.test.texts > 0; }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  const DataReport& report_;
  std::string text_;
};

std::string counts_table(const DataReport& report) {
  DataRows rows(report);
  const TextsSummary& train = report.train;
  const TextsSummary& test = report.test;
  const auto labels = [&](std::int64_t LabelCount::*texts) {
    return std::ranges::count_if(report.labels, [texts](const LabelCount& count) { return count.*texts > 0; });
  };
  rows.count("texts", train.texts, test.texts);
  rows.count("labels", labels(&LabelCount::texts), labels(&LabelCount::test_texts));
  if (report.multi_label) {
    rows.number("labels per text", share_of_texts(train.labels, train), share_of_texts(test.labels, test));
  }
  if (train.unlabelled + test.unlabelled > 0) rows.count("without label", train.unlabelled, test.unlabelled);
  rows.count("empty", train.empty, test.empty);
  if (train.weight != static_cast<double>(train.texts)) rows.number("sum of weights", train.weight, test.weight);
  rows.row("repeated", grouped(report.duplicates), "-");
  rows.row("repeated, other label", grouped(report.contradictions), "-");
  if (rows.tests()) rows.row("in training too", "-", grouped(report.in_both));
  rows.lengths("characters", &TextsSummary::characters);
  rows.lengths("words", &TextsSummary::words);
  return rows.take();
}

std::string count_and_share(std::int64_t texts, const TextsSummary& of) {
  return fmt::format("{:>12}{:>7.1f}%", grouped(texts), 100 * share_of_texts(texts, of));
}

// A label as the table shows it: a wrong column may have whole texts for labels.
std::string shown_label(std::string_view label) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < kMostShownCharacters && end < label.size(); ++i) {
    end += first_character(label.substr(end)).bytes;
  }
  return escaped(label.substr(0, end)) + (end < label.size() ? "..." : "");
}

std::string labels_table(const DataReport& report) {
  const std::size_t shown = std::min(report.labels.size(), kMostShownLabels);
  std::size_t width = std::string_view("label").size();
  for (std::size_t i = 0; i < shown; ++i) width = std::max(width, shown_label(report.labels[i].label).size());
  const bool tests = report.test.texts > 0;
  std::string text = fmt::format("{:<{}}{:>20}", "label", width, tests ? "training" : "texts");
  text += tests ? fmt::format("{:>20}\n", "test") : "\n";
  for (std::size_t i = 0; i < shown; ++i) {
    const LabelCount& count = report.labels[i];
    text += fmt::format("{:<{}}{}", shown_label(count.label), width, count_and_share(count.texts, report.train));
    text += (tests ? count_and_share(count.test_texts, report.test) : "") + "\n";
  }
  if (shown < report.labels.size()) {
    text += fmt::format("and {} more, of {} to {} texts each\n",
                        grouped(static_cast<std::int64_t>(report.labels.size() - shown)),
                        grouped(report.labels.back().texts), grouped(report.labels[shown].texts));
  }
  return text;
}

nlohmann::ordered_json json_of(const LengthSummary& lengths) {
  return {{"min", lengths.min},
          {"median", lengths.median},
          {"mean", lengths.mean},
          {"p95", lengths.p95},
          {"max", lengths.max}};
}

nlohmann::ordered_json json_of(const TextsSummary& texts) {
  return {{"texts", texts.texts},         {"empty", texts.empty},   {"unlabelled", texts.unlabelled},
          {"labels", texts.labels},       {"weight", texts.weight}, {"characters", json_of(texts.characters)},
          {"words", json_of(texts.words)}};
}

nlohmann::ordered_json json_of(const std::vector<EqualTexts>& examples) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const EqualTexts& example : examples) list.push_back({example.first, example.second});
  return list;
}

}  // namespace

std::string data_table(const DataReport& report) {
  std::string text = counts_table(report);
  if (!report.labels.empty()) text += "\n" + labels_table(report);
  if (!report.notes.empty()) text += "\n";
  for (const std::string& note : report.notes) text += "note: " + visible(with_flags(note, present_verb())) + "\n";
  return text;
}

nlohmann::ordered_json data_json(const DataReport& report) {
  nlohmann::ordered_json labels = nlohmann::ordered_json::array();
  for (const LabelCount& count : report.labels) {
    labels.push_back({{"label", count.label},
                      {"texts", count.texts},
                      {"share", share_of_texts(count.texts, report.train)},
                      {"weight", count.weight}});
    if (report.test.texts > 0) labels.back()["test_texts"] = count.test_texts;
  }
  nlohmann::ordered_json notes = nlohmann::ordered_json::array();
  for (const std::string& note : report.notes) notes.push_back(with_flags(note, present_verb()));
  nlohmann::ordered_json json{{"train", json_of(report.train)}};
  if (report.test.texts > 0) json["test"] = json_of(report.test);
  json["labels"] = std::move(labels);
  json["multi_label"] = report.multi_label;
  json["duplicates"] = report.duplicates;
  json["contradictions"] = report.contradictions;
  json["contradiction_examples"] = json_of(report.contradiction_examples);
  if (report.test.texts > 0) {
    json["in_both"] = report.in_both;
    json["in_both_with_other_labels"] = report.in_both_with_other_labels;
    json["in_both_examples"] = json_of(report.in_both_examples);
  }
  json["notes"] = std::move(notes);
  return json;
}

}  // namespace unroll
