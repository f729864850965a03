// The neural cache: which symbols followed states like the present one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"
#include "base/workers.h"
#include "unroll/adapt/adaptation.h"

namespace unroll {

// The last steps of a text, each with its state and the symbol that followed it, as CacheOptions defines the cache.
//
// Numerics scalar products in floats, each one chain of multiply-adds over the units; exponentials, their sums in the
//          order of the steps, and logarithms in double, relative to the largest exponent: nothing overflows. The bits
//          depend neither on how a text is cut into windows nor on the number of workers.
// Threads  attend() is for one thread; const members may be called by any number of them.
class NeuralCache {
 public:
  // Requires checked options.
  explicit NeuralCache(const CacheOptions& options);

  // Adds the next T steps: their states h (T, H), with the same H in all calls, and the symbol that followed each. The
  // const members are about these steps; each sees the steps before it, those of this window too, but not itself.
  void attend(Workers& workers, MatView<const float> h, std::span<const std::int32_t> next);

  // The steps that step t of the window sees, oldest first: h_t . h_i, and the symbol that followed h_i.
  struct Seen {
    std::span<const float> products;
    std::span<const std::int32_t> next;
  };
  [[nodiscard]] Seen seen(std::int64_t t) const noexcept;

  // Whether the cache changes the prediction of step t.
  [[nodiscard]] bool takes_part(std::int64_t t) const noexcept;

  // ln p of the symbol that followed step t by the mixture, where the network's ln p is `network`. Requires
  // takes_part(t).
  [[nodiscard]] double mixed(std::int64_t t, double network) const;

  // Replaces the network's ln p of every symbol by that of the mixture, with the bits of mixed().
  void mix(std::int64_t t, std::span<double> log_probs) const;

 private:
  [[nodiscard]] double largest_exponent(std::span<const float> products) const noexcept;
  void number_symbols();

  std::int64_t size_;
  double theta_;
  double log_weight_;
  double log_rest_;                     // of 1 - weight
  std::int64_t window_ = 0;             // T of the last attend()
  std::vector<float> states_;           // (kept, H)
  std::vector<std::int32_t> next_;      // (kept)
  std::vector<float> products_;         // (T, kept)
  std::vector<std::int32_t> symbols_;   // the different ones among next_, in the order in which they first come
  std::vector<std::int32_t> places_;    // (kept) where the symbol of a step stands in symbols_
  std::vector<std::int32_t> place_of_;  // by symbol; -1: not in symbols_
};

}  // namespace unroll
