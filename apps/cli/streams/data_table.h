// What there is to know about labelled texts, for people and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "unroll/data/data_report.h"

namespace unroll {

// A table of counts and lengths, one of the labels with the most texts, and notes; whole lines.
[[nodiscard]] std::string data_table(const DataReport& report);

// The labels with the most texts on one line, and a line for each note.
[[nodiscard]] std::vector<std::string> data_lines(const DataReport& report);

// All of it, every label.
[[nodiscard]] nlohmann::ordered_json data_json(const DataReport& report);

}  // namespace unroll
