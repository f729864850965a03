// The totals of an evaluation by lines: its report.
#pragma once

#include <memory>
#include <string>

#include "cli/evaluations/eval_report.h"
#include "cli/shards/unit_totals.h"

namespace unroll {

// The parameters of totals_of("eval").
[[nodiscard]] std::string eval_parameters(const EvalDescription& about, const EvaluationKind& kind);

// What a line adds, as sums of a unit.
[[nodiscard]] UnitSums sums_of(const EvaluationSums& line);

[[nodiscard]] std::unique_ptr<UnitTotals> eval_totals(const std::string& parameters);

}  // namespace unroll
