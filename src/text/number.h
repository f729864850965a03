// Numbers in lines of text that other programs wrote.
#pragma once

#include <optional>
#include <string_view>

namespace unroll {

// `field` as a decimal number, in any locale: all of it, or nothing. What is too small for a double is 0; what is too
// large is no number. Infinities and NaN are numbers where they are written out ("inf", "-inf", "nan").
[[nodiscard]] std::optional<double> parse_number(std::string_view field) noexcept;

}  // namespace unroll
