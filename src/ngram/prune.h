// Prunes n-grams by their effect on perplexity.
#pragma once

#include <cstdint>
#include <vector>

#include "ngram/ngram_table.h"

namespace unroll {

// By order, then by node: the share of all words whose context the n-gram is.
using ContextShares = std::vector<std::vector<double>>;

// Returns `table` without the n-grams whose removal, one at a time, changes the perplexity of its own text by less than
// the share `threshold`:
//
//   D = -p(c) ( p(w|c) (ln backoff'(c) p(w|c') - ln p(w|c)) + rest(c) (ln backoff'(c) - ln backoff(c)) )
//   D < ln(1 + threshold)
//
// where c' is c without its first word, rest(c) the probability of all words not listed for c, and backoff' the weight
// of c without w. Prunes higher orders first, and keeps contexts of n-grams that are kept. Weights are recomputed.
// Requires correct weights. (Stolcke 1998, equation 5)
[[nodiscard]] NgramTable pruned(const NgramTable& table, const ContextShares& shares, double threshold,
                                std::uint32_t begin);

}  // namespace unroll
