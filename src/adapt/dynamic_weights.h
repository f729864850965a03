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

// An f32 copy of a model's weights, and the update of DynamicOptions. Products are in the model's precision.
//
// Threads the bits do not depend on the number of workers. Not for two threads at once.
class DynamicWeights {
 public:
  // Requires checked options. Throws Error{kUsage} for an int8 model, which has no gradients, and Error{kMemory}.
  DynamicWeights(const Model& model, const DynamicOptions& options, Workers& workers);

  [[nodiscard]] const NetworkWeights& packed() const noexcept { return packed_; }

  // Makes one update by the mean loss over `window`, of one row. Requires a training network that has run it last, with
  // packed(). Throws Error{kNumeric} where the loss is not finite.
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
  std::vector<std::int32_t> touched_;     // rows of the embedding that had a gradient
  std::vector<std::uint8_t> is_touched_;  // by row
};

}  // namespace unroll
