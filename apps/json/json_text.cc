#include "json/json_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "unroll/character.h"

namespace unroll {
namespace {

// Characters that are not printable as \uHHHH. Outside of strings JSON has none but newlines.
std::string visible_json(std::string_view json) {
  std::string shown;
  while (!json.empty()) {
    const Character character = first_character(json);
    if (is_printable(character) || character.value == '\n') {
      shown += json.substr(0, character.bytes);
    } else {
      shown += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(character.value));
    }
    json.remove_prefix(character.bytes);
  }
  return shown;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.well_formed) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

void put_text(nlohmann::ordered_json* object, const std::string& text) {
  (*object)["text"] = text;
  if (is_utf8(text)) return;
  nlohmann::ordered_json bytes = nlohmann::ordered_json::array();
  for (const char byte : text) bytes.push_back(static_cast<unsigned char>(byte));
  (*object)["bytes"] = std::move(bytes);
}

nlohmann::ordered_json or_null(const std::optional<double>& number) {
  return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json();
}

nlohmann::ordered_json or_null(const std::optional<Interval>& interval) {
  return interval ? nlohmann::ordered_json{interval->low, interval->high} : nlohmann::ordered_json();
}

std::string json_line(const nlohmann::ordered_json& object) {
  return visible_json(object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)) + '\n';
}

}  // namespace unroll
