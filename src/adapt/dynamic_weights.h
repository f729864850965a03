// Weights that learn from the text that they predict.
#pragma once

#include <cstdint>
#include <vector>

#include "base/workers.h"
#include "network/gradients.h"
#include "network/network.h"
#include "network/parameters.h"
#include "text/window.h"
#include "unroll/adapt/adaptation.h"
#include "unroll/model.h"

namespace unroll {

// A copy of a model's weights, in f32, and the update of DynamicOptions. Products are in the model's precision.
//
// Threads the bits do not depend on the number of workers. Not for two threads at once.
class DynamicWeights {
 public:
  // Requires checked options. Throws Error{kUsage} for a model of int8, which has no way back, and Error{kMemory}.
  DynamicWeights(const Model& model, const DynamicOptions& options, Workers& workers);

  [[nodiscard]] const NetworkWeights& packed() const noexcept { return packed_; }

  // One update by the mean loss over `window`, of one row, which must be what `network`, a training one, ran last, with
  // packed(). Throws Error{kNumeric} when that loss is not finite.
  void learn(Network& network, const Window& window);

 private:
  void update();
  void update_embedding(const EmbeddingGradient& gradient);

  DynamicOptions options_;
  Workers& workers_;
  Parameters start_;
  Parameters parameters_;
  Gradients gradients_;
  NetworkWeights packed_;
  std::vector<std::int32_t> touched_;     // rows of the embedding that have left where they began
  std::vector<std::uint8_t> is_touched_;  // by row
};

}  // namespace unroll
