#include "cli/streams/data_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "cli/flags/field_flags.h"
#include "cli/streams/data_rows.h"
#include "cli/streams/escaped.h"
#include "cli/streams/quantities.h"

namespace unroll {
namespace {

double share_of_texts(std::int64_t texts, const TextsSummary& of) {
  return of.texts == 0 ? 0 : static_cast<double>(texts) / static_cast<double>(of.texts);
}

std::string counts_table(const DataReport& report) {
  DataRows rows(report.test.texts > 0);
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
  rows.lengths("characters", train.characters, test.characters);
  rows.lengths("words", train.words, test.words);
  return rows.text();
}

std::string labels_table(const DataReport& report) {
  std::vector<NamedCount> counts;
  for (const LabelCount& count : report.labels) counts.push_back({count.label, count.texts, count.test_texts});
  return table_of_counts({.kind = "label", .things = "texts", .all = report.train.texts, .test_all = report.test.texts},
                         counts);
}

nlohmann::ordered_json json_of(const TextsSummary& texts) {
  return {{"texts", texts.texts},         {"empty", texts.empty},   {"unlabelled", texts.unlabelled},
          {"labels", texts.labels},       {"weight", texts.weight}, {"characters", json_of(texts.characters)},
          {"words", json_of(texts.words)}};
}

}  // namespace

std::string data_table(const DataReport& report) {
  std::string text = counts_table(report);
  if (!report.labels.empty()) text += "\n" + labels_table(report);
  return text + notes_table(report.notes);
}

std::vector<std::string> data_lines(const DataReport& report) {
  constexpr std::size_t kMostLabels = 8;
  const std::size_t shown = std::min(report.labels.size(), kMostLabels);
  std::string line = "labels  ";
  for (std::size_t i = 0; i < shown; ++i) {
    const LabelCount& count = report.labels[i];
    line += fmt::format("{}{} {} ({:.1f}%)", i == 0 ? " " : ", ", escaped(count.label), grouped(count.texts),
                        100 * share_of_texts(count.texts, report.train));
  }
  if (shown < report.labels.size()) {
    line += fmt::format(", and {} more", grouped(static_cast<std::int64_t>(report.labels.size() - shown)));
  }
  std::vector<std::string> lines{line};
  for (const std::string& note : report.notes) lines.push_back("note: " + with_flags(note, present_verb()));
  return lines;
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
  json["notes"] = notes_json(report.notes);
  return json;
}

}  // namespace unroll
