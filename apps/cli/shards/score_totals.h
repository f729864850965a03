// The totals of scored lines: loss, perplexity, and the summary of a dialect that has one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/dialects/dialect.h"
#include "cli/shards/unit_totals.h"

namespace unroll {

// The parameters of totals_of("score").
[[nodiscard]] std::string score_parameters(const Dialect& dialect, const SummaryContext& context);

// What a line adds, as sums of a unit.
[[nodiscard]] UnitSums sums_of(const ScoreTotals& line);

// The bad lines among counts of such units, which were added.
[[nodiscard]] std::int64_t bad_lines(const std::vector<std::int64_t>& counts);

[[nodiscard]] std::unique_ptr<UnitTotals> score_totals(const std::string& parameters);

}  // namespace unroll
