// JSON: writes it deterministically, and reads it as untrusted input.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "unroll/error.h"

namespace unroll {

// Keeps the order of keys, so that JSON is written back byte for byte.
using Json = nlohmann::ordered_json;

// Parses one JSON value into a tree of at most `most_values` values, 8 levels and 256 keys per object, without
// duplicate keys. Messages begin with `where`: "'x.safetensors': config". Throws Error{code}; builds nothing beyond
// these limits.
[[nodiscard]] Json parse_json(std::string_view text, std::int64_t most_values, const std::string& where,
                              ErrorCode code = ErrorCode::kFormat);

// Writes JSON on one line, without spaces, doubles in the shortest form that reads back as the same bits, in any
// locale. Throws Error{kNumeric} for NaN and infinity, which JSON lacks, and Error{kInput} for strings that are not
// UTF-8.
[[nodiscard]] std::string write_json(const Json& value);

// Reads an object field by field. The object must have every required key, and no keys other than those given.
class JsonFields {
 public:
  // Keeps references to `object` and `where`. Throws Error{kFormat}, as all members do, beginning with `where`.
  JsonFields(const Json& object, const std::string& where, std::initializer_list<std::string_view> required,
             std::initializer_list<std::string_view> optional = {});

  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] const Json& operator[](std::string_view key) const;
  [[nodiscard]] const Json& array(std::string_view key) const;
  [[nodiscard]] const Json& object(std::string_view key) const;
  [[nodiscard]] const std::string& string(std::string_view key) const;
  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] std::int64_t whole(std::string_view key) const;  // 0 or more
  [[nodiscard]] double number(std::string_view key) const;

 private:
  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;

  const Json& object_;
  const std::string& where_;
};

}  // namespace unroll
