// Texts that a model writes for a picture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "draw/picture.h"
#include "unroll/engine.h"

namespace unroll {

// The texts number 0 to count - 1 that `unroll generate` writes with the prompt, seed, temperature and filters of the
// request: of each its symbols, the last one with the shares of its draw. Throws what Engine throws.
[[nodiscard]] std::vector<std::vector<SymbolReport>> written_texts(const PictureRequest& request, std::int64_t count,
                                                                   std::int64_t length);

// "temperature 0.8, top-k 5": what symbols of such texts are drawn by.
[[nodiscard]] std::string sampling_words(const PictureOptions& options);

}  // namespace unroll
