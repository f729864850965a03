// The tokens of lines that are scored.
#pragma once

#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// The tokens of one line, without its closing boundary. Throws Error{kInput} for a line end within it and for text that
// the tokenizer cannot read.
[[nodiscard]] std::vector<Token> line_tokens(const Tokenizer& tokenizer, const NamedText& line);

}  // namespace unroll
