// Leaving out n-grams that hardly matter.
#pragma once

#include <cstdint>
#include <vector>

#include "ngram/ngram_table.h"

namespace unroll {

// By order, then by node: how often an n-gram is the context of a word, as a share of all words.
using ContextShares = std::vector<std::vector<double>>;

// `table` without those n-grams that change the perplexity of its own text by less than the share `threshold` when they
// are left out one at a time:
//
//   D = -p(c) ( p(w|c) (ln backoff'(c) p(w|c') - ln p(w|c)) + rest(c) (ln backoff'(c) - ln backoff(c)) )
//   D < ln(1 + threshold)
//
// where c' is c without its first word, rest(c) the probability of all words not listed for c, and backoff' the weight
// of c without w. Higher orders first; an n-gram that is the context of one that stays, stays. Weights are those of
// what is left. Requires right weights. (Stolcke 1998, equation 5)
[[nodiscard]] NgramTable pruned(const NgramTable& table, const ContextShares& shares, double threshold,
                                std::uint32_t begin);

}  // namespace unroll
