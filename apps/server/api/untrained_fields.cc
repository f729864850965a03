#include "server/api/untrained_fields.h"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "server/api_error.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr const char* kField = "untrained";
constexpr std::size_t kMostNetworks = 4;
constexpr std::int64_t kMostHidden = 256;  // radii of larger ones take too long

double real_of(const nlohmann::json& value, const std::string& expected) {
  if (!value.is_number()) refuse_field(kField, value, expected);
  return value.get<double>();
}

std::int64_t whole_of(const nlohmann::json& value, std::int64_t most, const std::string& expected) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(most)) {
    refuse_field(kField, value, expected);
  }
  return value.get<std::int64_t>();
}

Cell cell_of(const nlohmann::json& value) {
  if (!value.is_string()) refuse_field(kField, value, "the name of a cell, such as \"lstm\", for cell");
  try {
    return parse_cell(value.get<std::string>());
  } catch (const Error& error) {
    throw ApiError(400, fmt::format("`{}`: {}", kField, error.what()), kField);
  }
}

UntrainedNetwork network_of(const nlohmann::json& object) {
  if (!object.is_object()) refuse_field(kField, object, "objects such as {\"cell\": \"lstm\", \"radius\": 1.2}");
  UntrainedNetwork network;
  for (const auto& [key, value] : object.items()) {
    if (value.is_null()) continue;
    if (key == "cell") {
      network.cell = cell_of(value);
    } else if (key == "hidden") {
      network.hidden = whole_of(value, kMostHidden, "a whole number up to 256 for hidden");
    } else if (key == "radius") {
      network.radius = real_of(value, "a number for radius");
    } else if (key == "forget_bias") {
      network.forget_bias = real_of(value, "a number for forget_bias");
    } else if (key == "seed") {
      network.seed =
          static_cast<std::uint64_t>(whole_of(value, std::int64_t{1} << 53, "a whole number up to 2^53 for seed"));
    } else {
      refuse_field(kField, key, "cell, hidden, radius, forget_bias, seed");
    }
  }
  return network;
}

}  // namespace

std::vector<UntrainedNetwork> untrained_fields(RequestFields& fields) {
  std::vector<UntrainedNetwork> networks;
  const nlohmann::json* const list = fields.find(kField);
  if (list == nullptr) return networks;
  if (!list->is_array() || list->size() > kMostNetworks) refuse_field(kField, *list, "a list of up to 4 networks");
  for (const nlohmann::json& object : *list) networks.push_back(network_of(object));
  return networks;
}

}  // namespace unroll
