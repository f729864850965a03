// What reports on data consist of: lengths, examples, and lists in notes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/data/data_report.h"

namespace unroll {

[[nodiscard]] LengthSummary summary_of(std::vector<std::int64_t> lengths);

// Names in quotes; of more than ten, "and 3 more" behind the first ones.
[[nodiscard]] std::string listed(const std::vector<std::string>& names);

// "1 label", "1,200 labels".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view one, std::string_view many);

// Keeps the first few.
void add_example(std::vector<EqualTexts>& examples, std::string first, std::string second);

}  // namespace unroll
