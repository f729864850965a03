// Test-time adaptation: temperature, neural cache, dynamic evaluation. The model itself is never changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace unroll {

// The largest settings that are accepted.
inline constexpr std::int64_t kLargestCacheSize = std::int64_t{1} << 20;
inline constexpr double kLargestCacheTheta = 1e6;
inline constexpr double kLargestTemperature = 1000;
inline constexpr double kLeastTemperature = 0.001;
inline constexpr std::int64_t kLargestDynamicBptt = 4096;
inline constexpr double kLargestDynamicRate = 1e6;

// A neural cache, mixed with the network: words that followed similar states before are likely now.
//
//   p(w) = (1 - weight) p_network(w) + weight p_cache(w)
//   p_cache(w) = sum of exp(theta h_t . h_i) over the last `size` steps i that were followed by w, normalised over w
//
// h is the input of the output layer, the output of the last recurrent layer or its projection; t is the present step.
// Nothing is learned. Before anything was read, and where `weight` is 0, p is p_network to the bit. (Grave, Joulin &
// Usunier 2017, equations 2 to 5; docs/math/cache.md)
struct CacheOptions {
  std::int64_t size = 500;  // steps that are remembered, at least 1
  double theta = 0.5;       // how much more similar states count than others; 0: all alike, so words are only counted
  double weight = 0.15;     // the cache's share of the mixture; from 0, below 1

  friend bool operator==(const CacheOptions&, const CacheOptions&) = default;
};

// Dynamic evaluation: the weights continue to learn from the text. After every `bptt` symbols, which are predicted
// before, comes a step down the gradient g of their mean loss, and back towards the weights w_0 of the file:
//
//   w += decay (w_0 - w) - rate g
//
// The state before these symbols is a constant for g. The step changes the weights; the hidden state is kept. Where
// `rate` is 0, predictions keep every bit. (Krause et al. 2018, equations 3 and 4; docs/math/dynamic.md)
struct DynamicOptions {
  std::int64_t bptt = 20;
  double rate = 1;
  double decay = 0.01;  // 0 to 1

  friend bool operator==(const DynamicOptions&, const DynamicOptions&) = default;
};

// How a model is adapted to the text that it predicts. Every symbol is predicted before anything is learned from it, so
// a prediction depends only on the text before it.
//
// `temperature` divides the network's logits: above 1 predictions are less certain, below 1 more. 1 changes no bit.
// Dynamic evaluation learns at temperature 1.
struct Adaptation {
  double temperature = 1;
  std::optional<CacheOptions> cache = {};
  std::optional<DynamicOptions> dynamic = {};

  friend bool operator==(const Adaptation&, const Adaptation&) = default;
};

// Throws Error{kUsage} naming the first number that is out of range or not finite.
void check(const Adaptation& adaptation);

// Whether a prediction depends on more of the text before it than the network's state holds, so that the whole text
// must be read in order.
[[nodiscard]] bool reads_in_order(const Adaptation& adaptation) noexcept;

// The settings that change predictions, in words: "temperature 1.1; cache size 500, theta 0.5, weight 0.15; dynamic
// bptt 20, rate 1, decay 0.01". Empty where nothing does: a cache of weight 0 and a rate of 0 are left out.
[[nodiscard]] std::string describe(const Adaptation& adaptation);

}  // namespace unroll
