// The symbols of a vocabulary that mean more than their text.
#pragma once

#include <cstdint>

#include "unroll/tokenizer.h"

namespace unroll {

struct Symbols {
  std::int32_t boundary = 0;  // ends each line, and is the input before the first symbol
  std::int32_t unknown = -1;  // -1 where the vocabulary has none
};

[[nodiscard]] inline Symbols symbols_of(const Tokenizer& tokenizer) noexcept {
  return {.boundary = tokenizer.boundary(), .unknown = tokenizer.unknown()};
}

}  // namespace unroll
