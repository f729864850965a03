// Spaces between consecutive words in written text.
#pragma once

#include <string_view>

namespace unroll {

// Whether a space is written between `previous` and `word` in the same line: not before closing punctuation (. , ; : !
// ? ) ] } % and closing quotes), not after opening brackets and quotes. The straight ' closes; the straight " may do
// either and is spaced like a word.
[[nodiscard]] bool space_between(std::string_view previous, std::string_view word) noexcept;

}  // namespace unroll
