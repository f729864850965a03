// Draws the next symbol from a network's logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "unroll/generator.h"

namespace unroll {

// How a symbol is chosen; see GeneratorOptions for what each field means.
struct SamplerOptions {
  double temperature = 1;
  std::int64_t top_k = 0;
  double top_p = 1;
  double min_p = 0;
};

// Throws Error{kUsage} naming the first option that is out of range: temperature finite and >= 0, top_k >= 0, top_p and
// min_p from 0 to 1.
void check(const SamplerOptions& options);

// Draws symbols from softmax(logits / temperature), restricted by up to three filters in this order:
//
//   top-k  the k most probable symbols
//   top-p  of those, the fewest most probable ones that have at least p of their total probability (at least one;
//          Holtzman et al. 2020)
//   min-p  of those, the ones with at least min_p times the probability of the most probable symbol
//
// Of equally probable symbols the smaller id counts as more probable, so every filter keeps an exact set. The rest is
// drawn in proportion to its probability, in the order of ids. The excluded symbol never takes part.
//
// Numerics double from the logits on; weights are e^((logit - largest) / temperature), so that nothing overflows.
// Cost     linear in V: filters select, nothing is sorted. Allocates only in the constructor. Holds memory alone: no
//          symbol depends on those drawn before it.
// Threads  not for two at once.
class Sampler {
 public:
  // Symbols are 0 .. vocabulary - 1; `excluded` is never drawn (-1: none). Requires two symbols at least.
  Sampler(std::int64_t vocabulary, std::int32_t excluded);

  // The symbol at `uniform` (0 <= uniform < 1) of the distribution; at temperature 0 the most probable one. Requires
  // checked options. Throws Error{kNumeric} where a logit is NaN or infinite.
  [[nodiscard]] std::int32_t sample(const SamplerOptions& options, std::span<const float> logits, double uniform);

  // How the last symbol was drawn, and what each symbol had of the numbers from 0 to 1 that the filters left.
  [[nodiscard]] const SymbolDraw& last_draw() const noexcept { return draw_; }
  [[nodiscard]] std::vector<SymbolShare> last_shares() const;

 private:
  struct Candidate {
    double weight = 0;
    std::int32_t id = 0;
  };
  static bool more_probable(const Candidate& a, const Candidate& b) noexcept;
  double largest_logit(std::span<const float> logits) const;
  void weigh(std::span<const float> logits);
  void keep_from(const Candidate& least);
  void keep_top_k();
  void keep_top_p();
  void keep_min_p();
  [[nodiscard]] double total() const noexcept;

  std::int32_t excluded_ = -1;
  SamplerOptions options_;  // of the symbol that is drawn
  SymbolDraw draw_;
  std::vector<Candidate> candidates_;  // by id; at temperature 0 in the end one
  std::vector<Candidate> selection_;   // scratch of the filters, in no order
};

}  // namespace unroll
