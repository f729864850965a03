// The totals of verbs whose output says all: how many units, and what was counted in them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/shards/unit_totals.h"

namespace unroll {

// The parameters of count_totals(): what units are called, and each count of theirs, in the plural: "texts", "tokens".
[[nodiscard]] std::string count_parameters(const std::string& unit, const std::vector<std::string>& counts);

[[nodiscard]] std::unique_ptr<UnitTotals> count_totals(const std::string& parameters);

}  // namespace unroll
