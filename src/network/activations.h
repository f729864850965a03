// The activations of a network for windows up to some size, planned once in one block of memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/view.h"
#include "network/output_layer.h"
#include "nn/recurrent.h"
#include "unroll/network.h"
#include "unroll/regularization.h"

namespace unroll {

enum class Purpose { kInference, kTraining };

// One planned piece of memory.
struct PlannedBuffer {
  std::string name;
  std::int64_t floats = 0;
};

// Determines which activations there are.
struct ActivationShape {
  NetworkConfig config;
  Regularization regularization;
  Purpose purpose = Purpose::kInference;
  std::int64_t T = 0;  // the largest window
  std::int64_t B = 0;
  std::int64_t samples = 0;  // of a sampled softmax; 0: exact softmax
};

// Views into one block. In inference the layers share their buffers.
struct Activations {
  MatView<float> embedded;            // (T*B, E)
  std::vector<RecurrentTape> tapes;   // one per layer
  std::vector<MatView<float>> mixed;  // (T*B, H) per layer: its output after dropout and residual connection; empty
                                      // if that is the layer's h itself
  MatView<float> projected;           // (T*B, E); empty without projection
  OutputScratch output;
  std::array<MatView<float>, 2> d_activations;  // (T*B, max(E, H)) training: gradients of a layer's output and input
  MatView<float> d_branch;  // (T*B, H) training with residual connections: gradient of h, next to that of x + h
  MatView<float> dh, dc, dh_products;  // (B, H)

  Activations() = default;
  // Views into `memory`, which holds the floats of plan().
  Activations(const ActivationShape& shape, float* memory);

  // The memory of all activations.
  static std::vector<PlannedBuffer> plan(const ActivationShape& shape);
};

// Whether the layer above reads something other than layer l's h.
[[nodiscard]] bool mixes_output(const ActivationShape& shape, std::int64_t l) noexcept;

// The dropout probability of outputs of layer l.
[[nodiscard]] double output_dropout(const ActivationShape& shape, std::int64_t l) noexcept;

}  // namespace unroll
