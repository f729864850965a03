// Lines that hold a JSON object each, to which fields are added.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

namespace unroll {

// A line with an object on it, and the text that the object holds.
struct ObjectLine {
  std::string line;  // as it was read
  std::string text;  // the value of the text's key
};

// Reads the object on `line`, whose text is at `key`. Throws Error{kInput}, saying why but not where, for a line that
// is not UTF-8 or not an object, for a key of the text that is missing, there twice or not of a string, and for an
// object that has one of the fields `added` already.
[[nodiscard]] ObjectLine read_object_line(const std::string& line, const std::string& key,
                                          std::span<const std::string_view> added);

// The line with `fields` behind the object's own, which keep every byte, and with a newline.
[[nodiscard]] std::string with_fields(const std::string& line, const nlohmann::ordered_json& fields);

// A line that could not be used: its object with the field "error" behind its own, or, where it is not an object or has
// that field already, {"line": the line, "error": why}; then, if the line is not UTF-8, also with its "bytes".
[[nodiscard]] std::string with_error(const std::string& line, const std::string& why);

}  // namespace unroll
