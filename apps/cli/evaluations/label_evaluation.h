// What `eval` prints of a classifier.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/streams/label_report.h"
#include "cli/verbs/answered_texts.h"

namespace unroll {

// Answers to texts, of which only the labels are needed, and what follows from them.
struct LabelEvaluation {
  LabelledTexts texts;
  AnsweredTexts answered;
  std::vector<AnsweredTexts> alone;  // of several models, each
  std::vector<std::string> models;   // paths
  std::string precision;
  std::vector<std::string> notes;  // on the texts
  LabelReport report = {};
  std::vector<ConfusionCell> cells = {};  // of one label a text
};

// Sets report and cells from the rest. Throws as judge_labels().
void judge_answers(LabelEvaluation& found);

// Rows for people, or one JSON object on one line. Without `texts_per_s` they say nothing about speed.
[[nodiscard]] std::string label_table(const LabelEvaluation& found, const std::optional<double>& texts_per_s);
[[nodiscard]] std::string label_json(const LabelEvaluation& found, const std::optional<double>& texts_per_s);

}  // namespace unroll
