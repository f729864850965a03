// Parses numbers in text written by other programs.
#pragma once

#include <optional>
#include <string_view>

namespace unroll {

// Returns the decimal number that all of `field` is, with or without a sign, in any locale, or nothing. Numbers too
// small for a double are 0; numbers too large are rejected. "inf", "-inf" and "nan" are numbers.
[[nodiscard]] std::optional<double> parse_number(std::string_view field) noexcept;

}  // namespace unroll
