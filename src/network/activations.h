// The activations of a network for windows of some size, planned once in one block of memory.
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

// What decides which activations there are.
struct ActivationShape {
  NetworkConfig config;
  Regularization regularization;
  Purpose purpose = Purpose::kInference;
  std::int64_t T = 0;  // the largest window
  std::int64_t B = 0;
  std::int64_t samples = 0;  // of a sampled softmax; 0: it is not one
};

// Views into one block. In inference a layer's buffers are used again by the layers above.
struct Activations {
  MatView<float> embedded;            // (T*B, E)
  std::vector<RecurrentTape> tapes;   // one per layer
  std::vector<MatView<float>> mixed;  // (T*B, H) per layer: its output after dropout and residual connection; empty
                                      // where that is the layer's h itself
  MatView<float> projected;           // (T*B, E); empty without projection
  OutputScratch output;
  std::array<MatView<float>, 2> d_activations;  // (T*B, max(E, H)) training: gradients of a layer's output and input
  MatView<float> d_branch;  // (T*B, H) training with residual connections: gradient of h, beside that of x + h
  MatView<float> dh, dc, dh_products;  // (B, H)

  Activations() = default;
  // Views into `memory`, which holds what plan() says.
  Activations(const ActivationShape& shape, float* memory);

  // What all of it takes.
  static std::vector<PlannedBuffer> plan(const ActivationShape& shape);
};

// Whether something comes between layer l's h and what the layer above reads.
[[nodiscard]] bool mixes_output(const ActivationShape& shape, std::int64_t l) noexcept;

// The probability with which outputs of layer l are dropped.
[[nodiscard]] double output_dropout(const ActivationShape& shape, std::int64_t l) noexcept;

}  // namespace unroll
