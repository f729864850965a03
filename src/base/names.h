// Names of the values of an enumeration: one switch names each value, everything else follows from it.
//
//   constexpr std::string_view name(Cell cell) noexcept {
//     switch (cell) {
//       case Cell::kLstm:
//         return "lstm";
//       ...
//     }
//     return {};
//   }
//   parse_name<Cell, name>("cell", "lstm") == Cell::kLstm
//
// -Werror=switch reports a value missing from the switch, so no list of values can miss one.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "unroll/error.h"

namespace unroll {

template <class Enum>
using NameOf = std::string_view (*)(Enum) noexcept;

// All values of an enumeration that counts from 0, in order: those for which `name` is not empty.
template <class Enum, NameOf<Enum> name>
inline constexpr auto kAllValues = [] {
  constexpr std::size_t kCount = [] {
    std::size_t count = 0;
    while (!name(static_cast<Enum>(count)).empty()) ++count;
    return count;
  }();
  std::array<Enum, kCount> values{};
  for (std::size_t i = 0; i < kCount; ++i) values[i] = static_cast<Enum>(i);
  return values;
}();

// "a, b, c".
template <class Enum>
[[nodiscard]] std::string joined_names(std::span<const Enum> values, NameOf<Enum> name) {
  std::string joined;
  for (const Enum value : values) {
    if (!joined.empty()) joined += ", ";
    joined += name(value);
  }
  return joined;
}

// The value called `text`. Throws Error{kUsage}, "unknown WHAT 'TEXT': expected one of ...".
template <class Enum, NameOf<Enum> name>
[[nodiscard]] Enum parse_name(std::string_view what, std::string_view text) {
  for (const Enum value : kAllValues<Enum, name>) {
    if (name(value) == text) return value;
  }
  throw Error(ErrorCode::kUsage, "unknown " + std::string(what) + " '" + std::string(text) + "': expected one of " +
                                     joined_names<Enum>(kAllValues<Enum, name>, name));
}

// Throws Error{kUsage} where `value` is a number that was cast to the enumeration and that it does not have: then its
// name is empty.
template <class Enum>
void expect_enumerator(std::string_view field, Enum value, std::string_view name) {
  if (!name.empty()) return;
  throw Error(ErrorCode::kUsage,
              "`" + std::string(field) + "` is " + std::to_string(static_cast<long long>(value)) +
                  ", which is not an enumerator of its type",
              std::string(field));
}

}  // namespace unroll
