// The value of --tokenizer.
#pragma once

#include <string>

#include "unroll/tokenizer.h"

namespace unroll {

// A kind's name, or the path of a SentencePiece model, which ends in .model. Throws Error{kUsage} for anything else.
void set_tokenizer(const std::string& value, TokenizerOptions* options);

}  // namespace unroll
