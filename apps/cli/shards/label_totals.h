// The totals of a classifier's evaluation by texts: its report.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cli/evaluations/label_evaluation.h"
#include "cli/shards/unit_totals.h"

namespace unroll {

// The parameters of totals_of("eval classify"): labels, paths and precision of `found`, whose first `known` labels
// are the classifier's.
[[nodiscard]] std::string label_parameters(const LabelEvaluation& found, std::size_t known);

// What a text adds: its labels, the answer of the average, and those of each of several models.
[[nodiscard]] UnitSums sums_of(const LabelledText& text, const AnsweredText& answered,
                               const std::vector<AnsweredText>& alone);

[[nodiscard]] std::unique_ptr<UnitTotals> label_totals(const std::string& parameters);

}  // namespace unroll
