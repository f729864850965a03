// Chooses the thresholds and factors by which a classifier answers, on labelled texts that it was not trained on.
//
//   Classifier classifier(model);
//   const std::vector<ClassifiedText> said = classifier.classify(texts);
//   const AnswerTuning tuning = tune_answers({classifier.labels(), said, right, classifier.multi_label()},
//                                            classifier.rule(), parse_tune_target("p@r:0.9:spam"));
//   save_with_rule(model, tuning.rule, "spam-tuned.safetensors");
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/judge/classification.h"
#include "unroll/judge/interval.h"
#include "unroll/label/answer_rule.h"

namespace unroll {

// What is made as large as possible.
//
//   kAccuracy    texts whose answer is right; of any number of labels: all labels and no other
//   kF1          F1 of a label, or of all answers together (micro)
//   kMacroF1     the mean of the labels' F1
//   kPrecision   precision of a label, or of all answers together, where recall is at least `floor`
//   kRecall      recall, where precision is at least `floor`
enum class TuneMeasure { kAccuracy, kF1, kMacroF1, kPrecision, kRecall };

struct TuneTarget {
  TuneMeasure measure = TuneMeasure::kMacroF1;
  double floor = 0;        // above 0, at most 1
  std::string label = {};  // kF1, kPrecision, kRecall; empty: all together
};

// "accuracy", "f1", "f1:spam", "macro_f1", "p@r:0.9" (kPrecision with the floor 0.9), "p@r:0.9:spam", "r@p:0.9",
// "r@p:0.9:spam"; what stands after the last colon that is needed is the label, colons included. Throws Error{kUsage}.
[[nodiscard]] TuneTarget parse_tune_target(std::string_view text);

// What a classifier said of texts, and what is right.
struct JudgedTexts {
  std::span<const std::string> labels;               // K of the classifier first; those that only texts have after them
  std::span<const ClassifiedText> said;              // of each text
  std::span<const std::vector<std::int32_t>> right;  // of each text: places in `labels`
  bool multi_label = false;
};

// How good answers are.
struct RuleFigures {
  std::optional<double> value;       // of the measure
  std::optional<Interval> interval;  // 95%: Wilson's of shares, else by bootstrap
  HitCounts counts;                  // of the label, or of all answers together
};

// A cut that was compared.
struct TuneRow {
  double cut = 0;  // threshold or factor
  HitCounts counts;
};

// A label, before and after.
struct TunedLabel {
  std::int32_t label = 0;
  double before = 0;  // threshold or factor
  double after = 0;
  HitCounts counts_before;
  HitCounts counts_after;
};

struct AnswerTuning {
  AnswerRule rule;         // the one that was chosen
  bool is_reached = true;  // false: no rule has the floor, and this is the one that comes closest to it
  bool by_factor = false;  // what a cut is: a label's factor; else a threshold
  RuleFigures before = {};
  RuleFigures after = {};
  // Where one cut was chosen: a dozen of all cuts in the file, those next to the chosen one among them, by rising
  // threshold or falling factor.
  std::vector<TuneRow> rows = {};
  std::size_t chosen = 0;  // of these
  // Where every label has a cut of its own: all K of them.
  std::vector<TunedLabel> labels = {};
};

// Finds the rule that is best for the target on these texts, starting from `present`; which is kept if none is better.
//
// Where a text has one label:
//   a label named        its factor; all cuts of the file are compared, and thresholds are given up (0)
//   accuracy, macro_f1   the factors of all labels, one after the other (coordinate ascent), until none gains anything:
//                        with two labels the optimum, with more a local one; thresholds are given up
//   f1, p@r, r@p         one threshold for all labels: texts that are less certain get no answer. All cuts are compared
// Where it has any number:
//   a label named        its threshold; all cuts are compared
//   macro_f1             each label's threshold for its F1: the optimum
//   f1                   each label's threshold for the F1 of all together (Dinkelbach 1967): the optimum
//   accuracy             each label's threshold, one after the other, until none gains anything: a local optimum
//   p@r, r@p             one threshold for all labels: all cuts are compared
// Texts with equal scores are on one side of a cut; of log-odds, which factors are compared with, those within 1e-9
// are equal. A threshold or factor is the number with the fewest digits between the two scores that it separates.
// Labels without an instance keep what they have.
//
// The figures are of the texts that the rule was chosen on, and so a little too good.
// Throws Error{kUsage} for a label that is not among the classifier's, for sizes that do not fit, for a classifier of
// one label a text that has one label; Error{kInput} without a text, and where no text has the label; Error{kNumeric}
// where probabilities are so extreme that no factor changes an answer.
[[nodiscard]] AnswerTuning tune_answers(const JudgedTexts& texts, const AnswerRule& present, const TuneTarget& target);

}  // namespace unroll
