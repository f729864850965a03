// The thresholds of labels, of which a text has any number, that make a measure of all of them largest.
#pragma once

#include <vector>

#include "unroll/label/answer_tuning.h"

namespace unroll {

// kMacroF1: the largest F1 of each label. kF1: of all together. kAccuracy: the most texts with all labels right, by
// moving one threshold after the other until none gains anything. Labels without an instance keep theirs for kMacroF1.
[[nodiscard]] std::vector<double> search_thresholds(const JudgedTexts& texts, std::vector<double> thresholds,
                                                    TuneMeasure measure);

}  // namespace unroll
