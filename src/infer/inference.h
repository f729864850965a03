// What scoring, writing and evaluating have in common: weights ready to run, and a network that runs them.
#pragma once

#include <cstdint>

#include "base/workers.h"
#include "network/network.h"
#include "text/window.h"
#include "unroll/model.h"

namespace unroll {

// Packed weights and the workers that multiply by them: of a model, or of a training run. A view.
struct ReadyWeights {
  const NetworkConfig& config;
  const NetworkWeights& weights;
  Workers& workers;
};

// A language model's weights, packed for inference in the model's precision. Views the model, which must outlive them.
// Throws Error{kUsage} for a model of another task.
[[nodiscard]] NetworkWeights packed_weights(const Model& model, Workers& workers);

// The same for a model of any task.
[[nodiscard]] NetworkWeights packed_task_weights(const Model& model, Workers& workers);

// A model with its own workers, packed weights and activations for windows of at most T steps and B rows. Not for two
// threads at once; the model is shared.
struct Inference {
  // Throws Error{kUsage} for a number of threads that Workers refuses, Error{kMemory}.
  Inference(Model shared_model, int threads, std::int64_t T, std::int64_t B);

  [[nodiscard]] const NetworkConfig& config() const noexcept { return model.config(); }
  [[nodiscard]] const Tokenizer& tokenizer() const noexcept { return model.tokenizer(); }

  // Runs `window` from `state`, which is then the state after it.
  void forward(const Window& window, NetworkState& state) { network.forward(weights, window, state); }

  Model model;
  Workers workers;
  NetworkWeights weights;
  Network network;
};

}  // namespace unroll
