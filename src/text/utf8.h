// UTF-8, strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
//
// Source: The Unicode Standard, table 3-7 "Well-Formed UTF-8 Byte Sequences".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace unroll {

// A character and its number of bytes; length 0 if the bytes are not well-formed.
struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;
};

// The character at the start of `text`, which must not be empty.
[[nodiscard]] CodePoint decode_utf8(std::string_view text) noexcept;

// First byte of the first malformed sequence; npos if there is none.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text) noexcept;

// Number of characters of well-formed text.
[[nodiscard]] std::int64_t count_code_points(std::string_view text) noexcept;

// Space, tab, newline, vertical tab, form feed, carriage return.
[[nodiscard]] inline bool is_ascii_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

// `text` without ASCII white space at its ends; where there is nothing else, empty at its start.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

// Whether `byte` continues a character that began before it.
[[nodiscard]] inline bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace unroll
