// The configuration of a network: cell, sizes and connections, which determine everything else about it.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/cell.h"
#include "unroll/loss.h"
#include "unroll/precision.h"
#include "unroll/readout.h"

namespace unroll {

// The sizes of a recurrent network: embedding, a stack of equal recurrent layers, an output layer. A language model has
// a softmax over its vocabulary at every step; the networks of other tasks have `outputs`. A language model of both
// directions, which other networks start from, has one level, and each direction predicts what it reads next.
struct NetworkConfig {
  Cell cell = Cell::kLstm;
  std::int64_t vocabulary = 0;  // V: number of symbols, special ones included; 0: inputs are rows of `embed` numbers
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

  // Tasks other than language modelling.
  std::int64_t outputs = 0;           // K: labels, or numbers; 0: a language model
  Loss loss = Loss::kSoftmax;         // of these outputs
  Readout readout = Readout::kSteps;  // what the output layer reads: every step, or one vector per text
  bool bidirectional = false;         // each layer is two, of which the second reads texts backwards; D = 2 H
  std::int64_t characters = 0;        // C: symbols of a character network; 0: there is none
  std::int64_t character_hidden = 0;  // its embedding and units in each direction; a word's input is then its
                                      // embedding and the last outputs of both directions over its characters

  // Of another task, in training: predicts symbols too, with the embedding as weights of that output layer, from the
  // last level's outputs; of both directions as a language model of both does.
  bool language = false;

  // Of a language model: labels, of which one sets the initial state of every layer; 0: it is zero.
  std::int64_t conditions = 0;

  friend bool operator==(const NetworkConfig&, const NetworkConfig&) = default;
};

// Whether the network predicts symbols of whole texts: a language model of both directions, or one next to a task.
[[nodiscard]] bool predicts_texts(const NetworkConfig& config) noexcept;

// Whether its embedding is the weights of an output layer: tied, or with `language`.
[[nodiscard]] bool shares_embedding(const NetworkConfig& config) noexcept;

// Whether the network has a projection: a shared embedding and embed != hidden.
[[nodiscard]] bool has_projection(const NetworkConfig& config) noexcept;

// Recurrent layers of each level: 1, or 2 with both directions. Layer d of level l has number l * directions + d.
[[nodiscard]] std::int64_t directions(const NetworkConfig& config) noexcept;

// Size of a level's input: embed, with the outputs of a character network, or D of the level below.
[[nodiscard]] std::int64_t level_inputs(const NetworkConfig& config, std::int64_t level) noexcept;

// D, the size of a level's output: H in each direction.
[[nodiscard]] std::int64_t level_outputs(const NetworkConfig& config) noexcept;

// Size of the output layer's input: hidden, or embed if the weights are tied; of other tasks that of the readout.
[[nodiscard]] std::int64_t decoder_inputs(const NetworkConfig& config) noexcept;

// Size of the output layer: vocabulary, or `outputs`.
[[nodiscard]] std::int64_t output_count(const NetworkConfig& config) noexcept;

// Default cutoffs for a vocabulary of V words: V / 5, at most 4000, then four times the previous one while that is
// below V / 2. Requires V > 1.
[[nodiscard]] std::vector<std::int64_t> default_cutoffs(std::int64_t V);

// Throws Error{kUsage} naming the first size that is out of range (sizes from 1 to 2^24, layers to 1024, all
// parameters together below 2^40) or the first contradiction (tied with cutoffs; a cluster of width 0; layer_norm with
// one unit, or with a cell without recurrent weights; what only a language model has with `outputs`, or the reverse;
// predicts_texts() of both directions with more levels than one, or without a vocabulary).
void check(const NetworkConfig& config);

// Checks also that the sums of products in `precision` are exact: in int8, for embed and hidden up to 65536.
void check(const NetworkConfig& config, Precision precision);

// Number of trained parameters: all elements of the tensors of network/network_tensors.h.
[[nodiscard]] std::int64_t parameter_count(const NetworkConfig& config) noexcept;

// Number of weights multiplied for each token: all matrices but embeddings, whose rows are looked up, unless they are
// tied. (Those of a character network are multiplied for each character.) Per weight and token, a forward pass costs 2
// floating-point operations and a training step 6.
[[nodiscard]] std::int64_t multiplied_weights(const NetworkConfig& config) noexcept;

}  // namespace unroll
