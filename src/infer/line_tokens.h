// What a line that is scored consists of.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// The tokens of one line, without its closing boundary. `name` is how messages call it: "line 3". Throws Error{kInput}
// for a line end within it and for text that the tokenizer cannot read.
[[nodiscard]] std::vector<Token> line_tokens(const Tokenizer& tokenizer, std::string_view line,
                                             const std::string& name);

}  // namespace unroll
