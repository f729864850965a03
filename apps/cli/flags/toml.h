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

// What none of a recipe's values may be: "list", "date or time".
struct OtherToml {
  std::string_view kind;
};

struct TomlEntry {
  std::string key;
  std::string place;  // where the key stands, for errors: "book.toml:3:1"
  std::variant<bool, std::int64_t, double, std::string, TomlTable, OtherToml> value;
};

// The entries of a TOML text. `file` is what errors call it. Throws Error{kUsage} with line and column where the text
// is not TOML.
[[nodiscard]] TomlTable parse_toml(std::string_view text, const std::string& file);

}  // namespace unroll
