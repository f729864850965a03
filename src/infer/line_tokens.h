// The tokens of lines that are scored.
#pragma once

#include <cstddef>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// The tokens of one line, without its closing boundary. Throws Error{kInput} for a line end within it and for text that
// the tokenizer cannot read.
[[nodiscard]] std::vector<Token> line_tokens(const Tokenizer& tokenizer, const NamedText& line);

// The same for input number `index` of a call, which the Error then has as its index().
[[nodiscard]] std::vector<Token> line_tokens(const Tokenizer& tokenizer, const NamedText& line, std::size_t index);

}  // namespace unroll
