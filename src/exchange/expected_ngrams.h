// N-grams whose probabilities are means of a network's predictions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "infer/distributions.h"
#include "ngram/ngram_table.h"
#include "ngram/prune.h"
#include "unroll/tokenizer.h"

namespace unroll {

// Computes the n-grams that imitate() defines from a text's ids, in two passes over the network's predictions of it.
// Words of the table are the ids, and after them "<s>". Takes memory for about ten candidates for each id and order.
class ExpectedNgrams {
 public:
  // Learns from the first `learned` of `ids`, which must outlive this; `learned` must be the start of a line.
  ExpectedNgrams(std::span<const std::int32_t> ids, std::size_t learned, const Tokenizer& tokenizer, std::size_t order);

  // First pass, each position once: collects the words to list.
  void list(std::size_t position, std::span<const float> p);

  // Between the passes: builds the table.
  void arrange();

  // Second pass, each position once: sums probabilities.
  void add(std::size_t position, std::span<const float> p);

  // After both: sets probabilities and back-off weights.
  void estimate();

  [[nodiscard]] const NgramTable& table() const noexcept { return table_; }
  [[nodiscard]] ContextShares shares() const;
  [[nodiscard]] std::uint32_t begin() const noexcept { return begin_; }

 private:
  [[nodiscard]] std::vector<std::uint32_t> start() const { return table_.after({}, begin_); }
  void set_unigrams();
  void arrange_level(std::size_t length);

  std::span<const std::int32_t> ids_;
  std::size_t learned_;
  std::int32_t boundary_;
  std::size_t order_;
  std::uint32_t begin_;
  NgramTable table_;
  std::vector<std::vector<std::uint32_t>> candidates_;  // by position
  std::vector<std::uint32_t> contexts_;                 // (learned, order - 1) nodes of each position's contexts
  std::vector<std::vector<double>> sums_;               // of p, by order, by node
  std::vector<std::vector<double>> places_;             // of contexts, by length, by node
};

}  // namespace unroll
