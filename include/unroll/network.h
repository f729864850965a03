// What a network is made of: the cell and the sizes. Everything else about a network follows from these.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/cell.h"
#include "unroll/precision.h"

namespace unroll {

// The sizes of a recurrent language model: embedding, a stack of equal recurrent layers, softmax at every step.
struct NetworkConfig {
  Cell cell = Cell::kLstm;
  std::int64_t vocabulary = 0;  // V: number of symbols, special ones included
  std::int64_t embed = 0;       // E: numbers per embedded symbol
  std::int64_t hidden = 0;      // H: units per recurrent layer
  std::int64_t layers = 1;      // L: recurrent layers
  // The output layer's weights are the embedding; where embed and hidden differ, a matrix P (E, H) without bias, the
  // projection, stands before it: logits = encoder (P h) + b (Inan et al. 2017; Press & Wolf 2017).
  bool tied = false;
  bool residual = false;  // a layer above the first adds its input to its output: x + h
  // Layer normalisation inside the cells (Ba, Kiros & Hinton 2016): each gate sees U x and W h shifted and scaled to
  // mean 0 and variance 1 over its H units, times gains that are learned; an LSTM's h sees c so.
  bool layer_norm = false;
  // Adaptive softmax (Grave et al. 2017) for symbols in falling order of frequency: those below the first cutoff are
  // predicted by the head, those from one to the next by a cluster each, which is a quarter as wide as the one before
  // it; increasing, from 1 to below vocabulary. Empty: full softmax. Exact either way.
  std::vector<std::int64_t> cutoffs = {};

  friend bool operator==(const NetworkConfig&, const NetworkConfig&) = default;
};

// Whether there is a projection: tied weights with embed != hidden.
[[nodiscard]] bool has_projection(const NetworkConfig& config) noexcept;

// Numbers that enter the output layer: hidden, or embed where the weights are tied.
[[nodiscard]] std::int64_t decoder_inputs(const NetworkConfig& config) noexcept;

// Cutoffs that suit a vocabulary of V words: a fifth of V, 4000 at most, then each four times the one before while that
// is below half of V. Requires V > 1.
[[nodiscard]] std::vector<std::int64_t> default_cutoffs(std::int64_t V);

// Throws Error{kUsage} naming the first size that is out of range (sizes from 1 to 2^24, layers to 1024, all
// parameters together below 2^40) or that contradicts another (tied with cutoffs; a cluster of no
// width; layer_norm with one unit, or with a cell that has no recurrent weights).
void check(const NetworkConfig& config);

// The same for a network whose products are in `precision`: int8 sums are exact in 32 bits for embed and hidden up to
// 65536.
void check(const NetworkConfig& config, Precision precision);

// Number of trained numbers: V E + sum over layers of G H (E_l + H + 2), without W and b' G H (E_l + 1), + V H + V;
// where tied without V H, but with E H of a projection; with cutoffs head and clusters (nn/adaptive_softmax.h) instead.
// Layer normalisation adds 2 G H gains of each layer, and 2 H more of an LSTM's.
[[nodiscard]] std::int64_t parameter_count(const NetworkConfig& config) noexcept;

// Weights that take part in products for each token (embedding rows are looked up, not multiplied). A forward
// pass costs 2, a training step 6 floating-point operations per such weight and token.
[[nodiscard]] std::int64_t multiplied_weights(const NetworkConfig& config) noexcept;

}  // namespace unroll
