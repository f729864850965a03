// A token as `tokenize` and `score --format surprisal` print it.
#pragma once

#include <cstdint>
#include <string>

#include "unroll/tokenizer.h"

namespace unroll {

// The symbol as in the vocabulary, "<unk>" for what that lacks, escaped (cli/streams/escaped.h) and with U+2581 for a
// space, so that a line can be split at its spaces. A U+2581 of the text is \xe2\x96\x81; SentencePiece has none, as it
// reads it as a space.
[[nodiscard]] std::string shown_token(const Tokenizer& tokenizer, std::int32_t id);

}  // namespace unroll
