#include "cli/flags/toml.h"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

#include "unroll/error.h"

namespace unroll {
namespace {

std::string place_in(const std::string& file, const toml::source_position& position) {
  return fmt::format("{}:{}:{}", file, position.line, position.column);
}

TomlTable read(const toml::table& table, const std::string& file);

decltype(TomlEntry::value) value_of(const toml::node& node, const std::string& file) {
  if (const auto truth = node.value_exact<bool>()) return *truth;
  if (const auto whole = node.value_exact<std::int64_t>()) return *whole;
  if (const auto real = node.value_exact<double>()) return *real;
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const toml::table* const table = node.as_table()) return read(*table, file);
  return OtherToml{node.is_array() ? "list" : "date or time"};
}

TomlTable read(const toml::table& table, const std::string& file) {
  // The table itself is sorted by key.
  std::vector<std::pair<const toml::key*, const toml::node*>> nodes;
  for (const auto& [key, node] : table) nodes.emplace_back(&key, &node);
  std::ranges::sort(nodes, {}, [](const auto& entry) {
    const toml::source_position& begin = entry.first->source().begin;
    return std::pair(begin.line, begin.column);
  });
  TomlTable entries;
  for (const auto& [key, node] : nodes) {
    entries.push_back({std::string(key->str()), place_in(file, key->source().begin), value_of(*node, file)});
  }
  return entries;
}

}  // namespace

TomlTable parse_toml(std::string_view text, const std::string& file) {
  try {
    return read(toml::parse(text, file), file);
  } catch (const toml::parse_error& error) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{}: this is not TOML: {}", place_in(file, error.source().begin), error.description()));
  }
}

}  // namespace unroll
