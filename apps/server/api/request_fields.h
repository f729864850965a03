// The JSON of a request, field by field, as untrusted input.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/number_range.h"

namespace unroll {

// An object. A field that is null counts as one that is missing, for all fields. All members throw ApiError with status
// 400 that names the field.
class RequestFields {
 public:
  // Reads a body: UTF-8, at most 16 levels and `most_values` values, no key twice in an object.
  RequestFields(const std::string& body, std::int64_t most_values);

  // The value, or null.
  [[nodiscard]] const nlohmann::json* find(const std::string& key);

  [[nodiscard]] std::optional<std::string> text(const std::string& key);
  [[nodiscard]] bool truth(const std::string& key, bool otherwise);
  // Between bounds that a double holds exactly.
  [[nodiscard]] std::optional<std::int64_t> whole(const std::string& key, std::int64_t least, std::int64_t most);
  [[nodiscard]] double number(const std::string& key, double otherwise, NumberRange range);

  // A text that must be there, and not be empty.
  [[nodiscard]] std::string filled_text(const std::string& key);

  // A list of whole numbers within `range`, whose bounds a double holds exactly; empty where it is missing.
  [[nodiscard]] std::vector<std::int64_t> wholes(const std::string& key, NumberRange range);

  // One string or a list of them; empty where it is missing.
  [[nodiscard]] std::vector<std::string> texts(const std::string& key);

  // The fields that nothing has asked for, which the server does not know.
  [[nodiscard]] std::vector<std::string> ignored() const;

 private:
  nlohmann::json object_;
  std::set<std::string> known_;
};

// Status 400 for a field with an unexpected value: "`n` is \"x\": expected a whole number".
[[noreturn]] void refuse_field(const std::string& key, const nlohmann::json& value, std::string_view expected);

// The ids in a list that is the value of a field. Throws ApiError with status 400; does not know which ids exist.
[[nodiscard]] std::vector<std::int32_t> read_ids(const std::string& key, const nlohmann::json& list);

}  // namespace unroll
