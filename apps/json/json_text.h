// Text of any bytes as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "unroll/judge/interval.h"

namespace unroll {

// Sets object["text"]; where `text` is not whole UTF-8, also object["bytes"], the list of its byte values.
void put_text(nlohmann::ordered_json* object, const std::string& text);

// A number, or an interval as [low, high]; null where there is none.
[[nodiscard]] nlohmann::ordered_json or_null(const std::optional<double>& number);
[[nodiscard]] nlohmann::ordered_json or_null(const std::optional<Interval>& interval);

// The object on one line without spaces, a newline at its end. What is not UTF-8 reads as U+FFFD.
[[nodiscard]] std::string json_line(const nlohmann::ordered_json& object);

// Whether `text` is well-formed UTF-8 (Unicode 15, table 3-7).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace unroll
