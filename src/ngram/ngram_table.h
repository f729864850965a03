// n-grams with back-off weights in memory, and the arithmetic of back-off.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unroll {

inline constexpr std::uint32_t kNoNode = 0xFFFFFFFF;

// A probability or a weight, from the logarithm that is stored.
[[nodiscard]] inline double power_of_ten(double log) { return std::pow(10.0, log); }

// The n-grams of one order, sorted by context and then by last word. The context is the n-gram of all words but the
// last; an n-gram's index in its order is its node. Logarithms are decimal, as in files.
struct NgramLevel {
  std::vector<std::uint32_t> words;   // the last one of each n-gram
  std::vector<float> log_probs;       // of it given the others
  std::vector<float> log_backoffs;    // of each n-gram as a context; empty at the highest order
  std::vector<std::uint32_t> extent;  // n-gram i is the context of extent[i] .. extent[i + 1] - 1 of the next order;
                                      // empty at the highest order
};

// A back-off model: p(w | c) is that of the n-gram c w if it is listed, else backoff(c) p(w | c without its first
// word), where backoff(c) is 1 if c is not listed. Every word is listed as a 1-gram, whose node is its number.
//
// 16 bytes per n-gram, 8 for the highest order. Const members may be called from any number of threads.
struct NgramTable {
  std::vector<std::string> words;
  std::vector<NgramLevel> levels;  // of order 1, 2, ...

  [[nodiscard]] std::size_t order() const noexcept { return levels.size(); }

  // The node of the n-gram `context` word, where `context` is a node of `length` words; kNoNode if it is not listed.
  [[nodiscard]] std::uint32_t find(std::size_t length, std::uint32_t context, std::uint32_t word) const;

  // The context after one more word. A context is the nodes of the last one, two, ... words, kNoNode for those that are
  // not listed; the last node is listed.
  [[nodiscard]] std::vector<std::uint32_t> after(std::span<const std::uint32_t> context, std::uint32_t word) const;

  // log10 p(word | context).
  [[nodiscard]] double log_prob(std::span<const std::uint32_t> context, std::uint32_t word) const;
};

}  // namespace unroll
