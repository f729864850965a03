#include "server/api/json_parts.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace unroll {

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_number(double number) { return std::isfinite(number) ? fmt::format("{}", number + 0.0) : "null"; }

std::string json_body(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void append_element(std::string& list, std::string_view element) {
  if (!list.empty()) list += ',';
  list += element;
}

}  // namespace unroll
