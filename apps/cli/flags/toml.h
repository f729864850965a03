// Reads TOML. Alone in including toml++.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace unroll {

struct TomlEntry;
using TomlTable = std::vector<TomlEntry>;  // in the order of the file

struct TomlList {
  std::vector<TomlEntry> values;  // without keys
};

struct TomlDate {};  // a date or a time, whose value nothing here needs

struct TomlEntry {
  std::string key;
  std::string place;  // where the key stands, or a value of a list, for errors: "book.toml:3:1"
  std::variant<bool, std::int64_t, double, std::string, TomlTable, TomlList, TomlDate> value;
};

// The entries of a TOML text. `file` is what errors call it. Throws Error{kUsage} with line and column where the text
// is not TOML.
[[nodiscard]] TomlTable parse_toml(std::string_view text, const std::string& file);

}  // namespace unroll
