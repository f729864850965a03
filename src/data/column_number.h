// Columns that are given by number.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace unroll {

// The number of a column, from 1, if `name` is one.
[[nodiscard]] inline std::optional<std::size_t> column_number(std::string_view name) noexcept {
  std::size_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, fault] = std::from_chars(name.data(), end, number);
  if (fault != std::errc() || stop != end || number == 0) return std::nullopt;
  return number;
}

}  // namespace unroll
