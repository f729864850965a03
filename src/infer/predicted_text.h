// Reading the text that a model is to predict.
#pragma once

#include "unroll/tokenizer.h"

namespace unroll {

// The ids of `text`, one at least. Throws Error{kInput} for an empty text and for one that the tokenizer cannot read.
[[nodiscard]] EncodedText encode_to_predict(const Tokenizer& tokenizer, const NamedText& text);

}  // namespace unroll
