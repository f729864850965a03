// Where words that are written one after another have a space between them.
#pragma once

#include <string_view>

namespace unroll {

// Whether `word` is written with a space before it when `previous` stands before it in the same line: not before
// closing punctuation (. , ; : ! ? ) ] } % and closing quotes), not after opening brackets and quotes. The straight '
// closes; the straight " may do either and is spaced like a word.
[[nodiscard]] bool space_between(std::string_view previous, std::string_view word) noexcept;

}  // namespace unroll
