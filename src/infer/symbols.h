// The symbols of a vocabulary that mean more than their text.
#pragma once

#include <cstdint>

#include "text/reading.h"
#include "unroll/tokenizer.h"

namespace unroll {

struct Symbols {
  Reading reading = {};              // holds the boundary
  std::int32_t unknown = kNoSymbol;  // kNoSymbol where the vocabulary has none
};

// Throws what reading_of() throws.
[[nodiscard]] inline Symbols symbols_of(const Tokenizer& tokenizer, StatePolicy state, BeginPolicy begin) {
  return {.reading = reading_of(tokenizer, state, begin), .unknown = tokenizer.unknown()};
}

}  // namespace unroll
