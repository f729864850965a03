// Strings and numbers of pickles of protocol 0, which are written as in a Python program.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "checkpoints/value.h"

namespace unroll {

// The bytes of a quoted string with Python's escapes: 'a\n'; nothing for what is not one.
[[nodiscard]] std::optional<std::string> unquoted_python(std::string_view text);

// UTF-8 of text in the coding raw-unicode-escape: Latin-1, and \uXXXX or \UXXXXXXXX.
[[nodiscard]] std::optional<std::string> raw_unicode(std::string_view text);

// A whole number in decimal, with an L at its end or without; nothing for other text and beyond 64 bits.
[[nodiscard]] std::optional<std::int64_t> whole_python(std::string_view text);

// A whole number of any size in two's complement, little-endian.
ValueId add_long(ValueGraph& graph, std::string_view bytes);

// Appends the UTF-8 of a code point below 2^21.
void append_utf8(char32_t code_point, std::string& out);

// The bytes of text in Latin-1, of its UTF-8; nothing where it has other characters.
[[nodiscard]] std::optional<std::string> to_latin1(std::string_view utf8);

}  // namespace unroll
