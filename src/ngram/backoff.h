// Back-off weights with which the words after every context sum to 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "ngram/ngram_table.h"

namespace unroll {

inline constexpr double kLogOfNothing = -99;  // log10 of what has no probability, where a file must say a number

// What the listed words of one context add up to.
struct ContextSums {
  double listed = 0;  // their p after it
  double lower = 0;   // their p after the context that is shorter by its first word
};

// A node of `length` words, and the context that those words are.
using ContextVisitor =
    std::function<void(std::size_t length, std::uint32_t node, std::span<const std::uint32_t> context)>;

// Visits the n-grams of `length` words that are the context of others, in the order of their nodes.
void visit_contexts(const NgramTable& table, std::size_t length, const ContextVisitor& visit);

// Requires right weights of shorter contexts.
[[nodiscard]] ContextSums sums_after(const NgramTable& table, std::size_t length, std::uint32_t node,
                                     std::span<const std::uint32_t> context);

// Sets the weight of one context so that all words after it but `begin`, which nothing predicts, sum to 1:
//
//   backoff(c) = (1 - sum of p(w | c)) / (1 - sum of p(w | c without its first word))
//
// over the words w that are listed for c. Everything is computed from the numbers as they are stored, so that only the
// weight's own rounding is left. Requires right weights of shorter contexts.
void weigh(NgramTable& table, std::size_t length, std::uint32_t node, std::span<const std::uint32_t> context,
           std::uint32_t begin);

// All of them, shorter contexts first.
void weigh(NgramTable& table, std::uint32_t begin);

// How far from 1 the words after any context sum, the empty one included, at most.
[[nodiscard]] double largest_sum_error(const NgramTable& table, std::uint32_t begin);

}  // namespace unroll
