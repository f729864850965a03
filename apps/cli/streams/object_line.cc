#include "cli/streams/object_line.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "cli/streams/escaped.h"
#include "json/json_text.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kBlank = " \t\r";
constexpr std::string_view kErrorField = "error";

[[noreturn]] void refuse_object(const std::string& why) { throw Error(ErrorCode::kInput, why); }

std::string quoted_field(std::string_view name) { return fmt::format("\"{}\"", escaped(name)); }

// What the parser meets on a line, of which the text and the names of the outermost fields are kept. Other values are
// not built, so that neither their depth nor their number matters.
class ObjectParts final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit ObjectParts(const std::string& key) : key_(key) {}

  bool null() override { return meet("null"); }
  bool boolean(bool) override { return meet("true or false"); }
  bool number_integer(number_integer_t) override { return meet("a number"); }
  bool number_unsigned(number_unsigned_t) override { return meet("a number"); }
  bool number_float(number_float_t, const string_t&) override { return meet("a number"); }
  bool binary(binary_t&) override { return meet("binary"); }
  bool start_object(std::size_t) override { return open("an object"); }
  bool start_array(std::size_t) override { return open("a list"); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool string(string_t& text) override {
    if (at_text_) text_ = text;
    at_text_ = false;
    return true;
  }

  bool key(string_t& name) override {
    if (depth_ > 1) return true;
    at_text_ = name == key_;
    times_ += at_text_ ? 1 : 0;
    fields_.insert(name);
    return true;
  }

  bool parse_error(std::size_t byte, const std::string&, const nlohmann::detail::exception& error) override {
    // The only other error of the parser is a number that is out of range for a double.
    const bool syntax = dynamic_cast<const nlohmann::json::parse_error*>(&error) != nullptr;
    refuse_object(fmt::format("{} at byte {}", syntax ? "not valid JSON" : "a number out of range", byte));
  }

  [[nodiscard]] bool has(std::string_view field) const { return fields_.contains(field); }

  // Throws Error{kInput} unless the text is there, once, and a string.
  [[nodiscard]] std::string take_text() {
    const std::string name = quoted_field(key_);
    if (times_ == 0) refuse_object(fmt::format("the object has no field {}", name));
    if (times_ > 1) refuse_object(fmt::format("the object has the field {} twice", name));
    if (!other_.empty()) refuse_object(fmt::format("the field {} is {}: expected a string", name, other_));
    return std::move(text_);
  }

 private:
  bool meet(std::string_view what) {
    if (at_text_) other_ = what;
    at_text_ = false;
    return true;
  }
  bool open(std::string_view what) {
    ++depth_;
    return meet(what);
  }
  bool close() {
    --depth_;
    return true;
  }

  const std::string& key_;
  int depth_ = 0;
  bool at_text_ = false;  // the next value is the text
  int times_ = 0;         // that the text was met
  std::string text_;
  std::string_view other_;  // what the text is instead of a string
  std::set<std::string, std::less<>> fields_;
};

// Throws Error{kInput} for a line that is not a JSON object.
void parse_object(const std::string& line, ObjectParts* parts) {
  if (!is_utf8(line)) refuse_object("not UTF-8");
  const std::size_t first = std::min(line.find_first_not_of(kBlank), line.size());
  // The parser takes a NUL for the end of the text and would ignore the rest.
  if (first == line.size() || line[first] != '{' || line.find('\0') != std::string::npos) {
    refuse_object("not a JSON object on one line");
  }
  static_cast<void>(nlohmann::json::sax_parse(line, parts));
}

// Whether the line is an object without a field "error".
bool has_room_for_error(const std::string& line) {
  ObjectParts parts(line);
  try {
    parse_object(line, &parts);
  } catch (const Error&) {
    return false;
  }
  return !parts.has(kErrorField);
}

}  // namespace

ObjectLine read_object_line(const std::string& line, const std::string& key, std::span<const std::string_view> added) {
  ObjectParts parts(key);
  parse_object(line, &parts);
  for (const std::string_view name : added) {
    if (parts.has(name)) {
      refuse_object(fmt::format("the object has a field {} already: rename it", quoted_field(name)));
    }
  }
  return {line, parts.take_text()};
}

std::string with_fields(const std::string& line, const nlohmann::ordered_json& fields) {
  const std::size_t close = line.rfind('}');
  const std::size_t last = line.find_last_not_of(kBlank, close - 1);
  const std::string inner = json_line(fields);  // between braces, and a newline
  return fmt::format("{}{}{}{}\n", std::string_view(line).substr(0, close), line[last] == '{' ? "" : ",",
                     std::string_view(inner).substr(1, inner.size() - 3), std::string_view(line).substr(close));
}

std::string with_error(const std::string& line, const std::string& why) {
  nlohmann::ordered_json object;
  if (has_room_for_error(line)) {
    object[kErrorField] = why;
    return with_fields(line, object);
  }
  object["line"] = line;
  if (!is_utf8(line)) {
    nlohmann::ordered_json bytes = nlohmann::ordered_json::array();
    for (const char byte : line) bytes.push_back(static_cast<unsigned char>(byte));
    object["bytes"] = std::move(bytes);
  }
  object[kErrorField] = why;
  return json_line(object);
}

}  // namespace unroll
