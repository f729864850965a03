// Encodes the text that a model is to continue.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "unroll/tokenizer.h"

namespace unroll {

// The symbols of `prompt`, line ends as boundary symbols, without a closing one. Throws Error{kInput} for text that the
// tokenizer cannot read and for a symbol or a line end that the vocabulary lacks, naming the first and its byte.
[[nodiscard]] std::vector<std::int32_t> encode_prompt(const Tokenizer& tokenizer, std::string_view prompt);

}  // namespace unroll
