// Computes back-off weights with which the words after every context sum to 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "ngram/ngram_table.h"

namespace unroll {

inline constexpr double kLogOfNothing = -99;  // stands for log10 of 0, where a file needs a number

// Sums over the listed words of one context.
struct ContextSums {
  double listed = 0;  // of p after the context
  double lower = 0;   // of p after the context without its first word
};

// Receives a node of `length` words, and these words as a context.
using ContextVisitor =
    std::function<void(std::size_t length, std::uint32_t node, std::span<const std::uint32_t> context)>;

// Visits the n-grams of `length` words that are the context of others, in the order of their nodes.
void visit_contexts(const NgramTable& table, std::size_t length, const ContextVisitor& visit);

// Returns the sums of one context. Requires correct weights of shorter contexts.
[[nodiscard]] ContextSums sums_after(const NgramTable& table, std::size_t length, std::uint32_t node,
                                     std::span<const std::uint32_t> context);

// Sets the weight of one context so that all words after it except `begin`, which is never predicted, sum to 1:
//
//   backoff(c) = (1 - sum of p(w | c)) / (1 - sum of p(w | c without its first word))
//
// over the words w that are listed for c. Everything is computed from the stored numbers, so that the only error left
// is the rounding of the weight itself. Requires correct weights of shorter contexts.
void weigh(NgramTable& table, std::size_t length, std::uint32_t node, std::span<const std::uint32_t> context,
           std::uint32_t begin);

// Sets the weights of all contexts, shorter ones first.
void weigh(NgramTable& table, std::uint32_t begin);

// The largest deviation from 1 of the sum over the words after any context, the empty one included.
[[nodiscard]] double largest_sum_error(const NgramTable& table, std::uint32_t begin);

}  // namespace unroll
