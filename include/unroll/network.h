// The configuration of a network: cell, sizes and connections, which determine everything else about it.
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
  std::int64_t embed = 0;       // E: size of an embedding
  std::int64_t hidden = 0;      // H: units per recurrent layer
  std::int64_t layers = 1;      // L: recurrent layers
  // The output layer uses the embedding as its weights. If embed and hidden differ, a matrix P (E, H) without bias, the
  // projection, precedes it: logits = encoder (P h) + b (Inan et al. 2017; Press & Wolf 2017).
  bool tied = false;
  bool residual = false;  // each layer above the first adds its input to its output: x + h
  // Layer normalisation inside the cells (Ba, Kiros & Hinton 2016): U x and W h are normalised to mean 0 and variance 1
  // over the H units of each gate and multiplied by learned gains; so is c where an LSTM computes h from it.
  bool layer_norm = false;
  // Adaptive softmax (Grave et al. 2017) for symbols in order of falling frequency: the head predicts the symbols below
  // the first cutoff, one cluster those from each cutoff to the next, a quarter as wide as the cluster before it.
  // Increasing, from 1 to below vocabulary. Empty: full softmax. Both are exact.
  std::vector<std::int64_t> cutoffs = {};

  friend bool operator==(const NetworkConfig&, const NetworkConfig&) = default;
};

// Whether the network has a projection: tied weights and embed != hidden.
[[nodiscard]] bool has_projection(const NetworkConfig& config) noexcept;

// Size of the output layer's input: hidden, or embed if the weights are tied.
[[nodiscard]] std::int64_t decoder_inputs(const NetworkConfig& config) noexcept;

// Default cutoffs for a vocabulary of V words: V / 5, at most 4000, then four times the previous one while that is
// below V / 2. Requires V > 1.
[[nodiscard]] std::vector<std::int64_t> default_cutoffs(std::int64_t V);

// Throws Error{kUsage} naming the first size that is out of range (sizes from 1 to 2^24, layers to 1024, all
// parameters together below 2^40) or the first contradiction (tied with cutoffs; a cluster of width 0; layer_norm with
// one unit, or with a cell without recurrent weights).
void check(const NetworkConfig& config);

// Checks also that the sums of products in `precision` are exact: in int8, for embed and hidden up to 65536.
void check(const NetworkConfig& config, Precision precision);

// Number of trained parameters: V E + sum over layers of G H (E_l + H + 2), without W and b' G H (E_l + 1), + V H + V;
// if tied, without V H, but with E H of a projection; with cutoffs, head and clusters (nn/adaptive_softmax.h) instead.
// Layer normalisation adds 2 G H gains per layer, and 2 H more for an LSTM.
[[nodiscard]] std::int64_t parameter_count(const NetworkConfig& config) noexcept;

// Number of weights multiplied for each token (embedding rows are looked up, not multiplied). Per weight and token, a
// forward pass costs 2 floating-point operations and a training step 6.
[[nodiscard]] std::int64_t multiplied_weights(const NetworkConfig& config) noexcept;

}  // namespace unroll
