// Characters of UTF-8 text, and which of them may be shown as they are.
#pragma once

#include <cstddef>
#include <string_view>

namespace unroll {

// A character of UTF-8 text, or one byte where the text is not UTF-8.
struct Character {
  char32_t value = 0;     // its code point; the byte's value where it is not well-formed
  std::size_t bytes = 1;  // that it takes
  bool well_formed = true;
};

// The character at the start of `text`, which must not be empty. Source: The Unicode Standard, table 3-7.
[[nodiscard]] Character first_character(std::string_view text) noexcept;

// Whether a terminal or a page may show the character as it is. Not: control characters (U+0000 to U+001F, U+007F to
// U+009F), which terminals obey; controls of bidirectional text (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
// U+2069), which change the order in which what follows is shown; line and paragraph separators (U+2028, U+2029), which
// some readers take for line ends; the byte-order mark (U+FEFF), which is not seen; bytes that are not UTF-8.
[[nodiscard]] bool is_printable(const Character& character) noexcept;

}  // namespace unroll
