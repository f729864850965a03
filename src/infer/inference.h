// A model made ready to run: what scoring, writing and evaluating have in common.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "base/workers.h"
#include "model/model_file.h"
#include "network/network.h"
#include "text/batcher.h"
#include "unroll/model.h"

namespace unroll {

// Workers, packed weights and activations for windows of at most T steps and B rows. Not for two threads at once; the
// model is shared.
struct Inference {
  // Throws Error{kUsage} for a number of threads that Workers refuses.
  Inference(Model shared_model, int threads, std::int64_t T, std::int64_t B)
      : model(std::move(shared_model)),
        workers(threads),
        weights(model.config(), Purpose::kInference, model.precision()),
        network(model.config(), Purpose::kInference, T, B, workers) {
    weights.pack(model.data().weights.view(), workers);
  }

  // Runs `window` from `state`, which is then the state after it.
  void forward(const Window& window, NetworkState& state) { network.forward(weights, window, state); }

  Model model;
  Workers workers;
  NetworkWeights weights;
  Network network;
};

// Makes `window` one row that reads `input` and then all but the last of `next`, going on from the state it is given,
// and predicts `next`. Requires one symbol at least.
void set_sequence(std::int32_t input, std::span<const std::int32_t> next, Window& window);

}  // namespace unroll
