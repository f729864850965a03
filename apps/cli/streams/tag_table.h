// What there is to know about tagged words, for people and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "unroll/data/tag_report.h"

namespace unroll {

// A table of counts and lengths, one of the most frequent tags, and notes; whole lines.
[[nodiscard]] std::string tag_table(const TagReport& report);

// All of it, every tag.
[[nodiscard]] nlohmann::ordered_json tag_json(const TagReport& report);

}  // namespace unroll
