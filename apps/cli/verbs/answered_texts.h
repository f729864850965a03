// Labelled texts with the answers of a classifier, for verbs that judge it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
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

// What it says about one.
struct AnsweredText {
  std::vector<std::int32_t> answers = {};
  double nats = 0;                           // -ln p of what is right; infinite where the model lacks a label of it
  std::vector<Confidence> confidences = {};  // of the answer, or of each label
  bool was_cut = false;
};

// Turns what a classifier says about texts into what judges take.
class AnswerTaker {
 public:
  // Requires texts.labels to have the classifier's labels, which it views.
  AnswerTaker(const Classifier& classifier, const LabelledTexts& texts);

  [[nodiscard]] AnsweredText take(const LabelledText& text, const ClassifiedText& said) const;

 private:
  void take_one_label(const LabelledText& text, const ClassifiedText& said, AnsweredText& answered) const;
  void take_each_label(const LabelledText& text, const ClassifiedText& said, AnsweredText& answered) const;

  const Classifier& classifier_;
  std::vector<std::int32_t> place_of_;  // of each label of the classifier among those of the texts
  std::vector<std::int32_t> rank_of_;   // the reverse; -1: the classifier does not know it
};

// Adds texts, in their order.
class AnswerSums {
 public:
  void add(AnsweredText text);

  [[nodiscard]] AnsweredTexts finish() const;

 private:
  LabelSets answers_;
  std::vector<double> nats_;
  CalibrationError error_;
  std::int64_t cut_ = 0;
};

// Labelled texts for a classifier, whose labels have its numbers. Throws Error{kUsage} if texts with several labels are
// asked for and the classifier gives one, and what read_labelled_texts() throws.
[[nodiscard]] LabelledTexts texts_for(const Classifier& classifier, LabelledTextOptions options);

// The labels that texts have, as judges take them.
[[nodiscard]] LabelSets right_labels(const LabelledTexts& texts);

// Classifies all texts, with a line on `terminal` if that takes long. Requires texts.labels to have the classifier's
// labels. Throws as Classifier::classify().
[[nodiscard]] AnsweredTexts answer_texts(Classifier& classifier, const LabelledTexts& texts, Terminal& terminal);

// Classifies `part` of the texts, which messages call by `names`. Requires and throws as answer_texts().
[[nodiscard]] std::vector<AnsweredText> answer_part(Classifier& classifier, const LabelledTexts& texts,
                                                    std::span<const LabelledText> part,
                                                    const std::function<std::string(std::size_t)>& names);

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
