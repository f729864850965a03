// Labelled texts with the answers of a classifier, for verbs that judge it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/streams/terminal.h"
#include "unroll/data/labelled_texts.h"
#include "unroll/judge/calibration.h"
#include "unroll/label/classifier.h"

namespace unroll {

using LabelSets = std::vector<std::vector<std::int32_t>>;

// What a classifier says about texts. Labels are places in LabelledTexts::labels.
struct AnsweredTexts {
  LabelSets answers;  // of each text
  MeanNats nats;
  std::optional<double> calibration_error;
  std::int64_t cut = 0;  // texts of which only the beginning was read
  double seconds = 0;
};

// The labels that texts have, as judges take them.
[[nodiscard]] LabelSets right_labels(const LabelledTexts& texts);

// Classifies all texts, with a line on `terminal` if that takes long. Requires texts.labels to have the classifier's
// labels. Throws as Classifier::classify().
[[nodiscard]] AnsweredTexts answer_texts(Classifier& classifier, const LabelledTexts& texts, Terminal& terminal);

// What the classifier says about all texts, with a line on `terminal` if that takes long. Throws as
// Classifier::classify().
[[nodiscard]] std::vector<ClassifiedText> classify_texts(Classifier& classifier, const LabelledTexts& texts,
                                                         Terminal& terminal);

// The one label of each set.
[[nodiscard]] std::vector<std::int32_t> single_labels(const LabelSets& sets);

// The names of a set, separated by commas; "-" for none.
[[nodiscard]] std::string names_in(const std::vector<std::int32_t>& set, const std::vector<std::string>& names);

// Notes on labels that texts have and no model knows, those from place `known` on, and on texts that were cut.
[[nodiscard]] std::vector<std::string> notes_on_texts(const LabelledTexts& texts, std::size_t known, std::int64_t cut);

}  // namespace unroll
