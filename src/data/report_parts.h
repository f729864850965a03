// What reports on data consist of: lengths and examples.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/data/data_report.h"

namespace unroll {

// What LengthSummary says of lengths in any order.
[[nodiscard]] LengthSummary summary_of(std::vector<std::int64_t> lengths);

// Keeps the first few.
void add_example(std::vector<EqualTexts>& examples, std::string first, std::string second);

}  // namespace unroll
