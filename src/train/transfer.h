// What a network takes from another one, and how fast its layers move away from that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "network/parameters.h"
#include "unroll/model.h"
#include "unroll/train.h"

namespace unroll {

// The options of the language model that transfer.unlabelled trains before a run with `options`, which are resolved:
// its cell, sizes and directions, its length, and what does well at predicting text.
[[nodiscard]] TrainOptions language_model_options(const TrainOptions& options);

// The configuration of a network for a task that starts from `init`: its cell and sizes, and its character network if
// it has one. Throws Error{kUsage} unless `init` is a language model.
[[nodiscard]] NetworkConfig config_from(const Model& init, NetworkConfig config);

// Copies every tensor that both networks have, in name and shape, but the output layer's: embedding, character network,
// layers. Where a layer has more inputs than in `init`, as those of a character network or of the backward direction
// below, its first columns are copied. Where the network predicts_texts() next to its task, it takes projection and
// bias of the symbols too. Returns the names of the tensors that were copied.
std::vector<std::string> take_tensors(const Model& init, const NetworkConfig& config, const Parameters& parameters);

// Copies the tensors of a network without `language` out of one with it. Requires such networks.
void leave_language_out(const Parameters& with, const Parameters& without);

// How a run treats its layers, from the output layer (depth 0) down to the embedding (depth layers + 1).
struct LayerRates {
  double decay = 1;           // the rate of depth d is divided by decay^d
  std::int64_t unfreeze = 0;  // epochs until the next depth learns; 0: all do from the start
};

// What the learning rate of each tensor is multiplied by in an epoch, counted from 0; empty: all by 1.
[[nodiscard]] std::vector<double> tensor_rates(const LayerRates& rules, const NetworkConfig& config,
                                               const std::vector<ParameterTensor>& tensors, std::int64_t epoch);

}  // namespace unroll
