// Quotes text from a file or an argument for a message.
#pragma once

#include <string>
#include <string_view>

namespace unroll {

// Returns `text` in double quotes, escaped as in JSON: quotes, backslashes and characters that are not printable
// (unroll/character.h). Each byte that is not UTF-8 becomes U+FFFD. Shows at most 80 bytes of the text, whole
// characters only, and "..." for the rest.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace unroll
