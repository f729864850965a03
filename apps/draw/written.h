// Texts that a model writes for a picture.
#pragma once

#include <cstdint>
#include <vector>

#include "draw/picture.h"
#include "unroll/engine.h"

namespace unroll {

// The texts number 0 to count - 1 that `unroll generate` writes with the prompt, seed and temperature of the request:
// of each its symbols, each with so many alternatives. Throws what Engine throws.
[[nodiscard]] std::vector<std::vector<SymbolReport>> written_texts(const PictureRequest& request, std::int64_t count,
                                                                   std::int64_t length, std::int64_t alternatives);

}  // namespace unroll
