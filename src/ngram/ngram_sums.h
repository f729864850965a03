// Checks that the words after a context sum to 1, for a sample of contexts of n-grams that were read.
#pragma once

#include <cstdint>

#include "ngram/ngram_table.h"
#include "unroll/ngram/ngram.h"

namespace unroll {

// Sums the words after the empty context and, for each longer length, after up to 2,000 contexts, half of them evenly
// spaced over the contexts and half over the n-grams, as far as these list up to 500,000 words. `begin` is the number
// of "<s>", or kNoNode.
//
// Nothing predicts `begin`. Some toolkits count it among the words all the same, so a sum that is nearer to 1 with it
// is taken with it. A deviation that rounding to four digits explains is none: for a context of weight b, 0.00012 b.
[[nodiscard]] NgramSums sums_of(const NgramTable& table, std::uint32_t begin);

}  // namespace unroll
