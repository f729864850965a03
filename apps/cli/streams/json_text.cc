#include "cli/streams/json_text.h"

#include <nlohmann/json.hpp>

#include "cli/streams/escaped.h"
#include "unroll/character.h"

namespace unroll {
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
