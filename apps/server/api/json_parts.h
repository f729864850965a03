// Small parts of JSON as text. Answers are put together of these: they grow with each symbol that is written.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace unroll {

// "a \"word\"", quotes included. What is not UTF-8 reads as U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

// The shortest digits that read back as the same bits; null where JSON has no number for it.
[[nodiscard]] std::string json_number(double number);

// A whole body, without spaces. What is not UTF-8 reads as U+FFFD.
[[nodiscard]] std::string json_body(const nlohmann::ordered_json& object);

// Appends an element to what stands between the brackets of a list.
void append_element(std::string& list, std::string_view element);

}  // namespace unroll
