// How good the answers of a rule are, by the measure of a target.
#pragma once

#include <vector>

#include "unroll/label/answer_tuning.h"

namespace unroll {

// `label` is the place of the target's label; none: all together.
[[nodiscard]] RuleFigures figures_of_rule(const JudgedTexts& texts, const AnswerRule& rule, const TuneTarget& target,
                                          std::optional<std::size_t> label);

// The counts of each label of the classifier.
[[nodiscard]] std::vector<HitCounts> counts_of_rule(const JudgedTexts& texts, const AnswerRule& rule);

}  // namespace unroll
