// A network's parameters packed for products.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/workers.h"
#include "network/activations.h"
#include "network/output_layer.h"
#include "network/parameters.h"
#include "nn/dropout.h"
#include "nn/projection.h"
#include "nn/recurrent.h"
#include "unroll/network.h"

namespace unroll {

// Immutable between calls of pack(), so that any number of networks may read it at once.
class NetworkWeights {
 public:
  // `precision` is that of the products: f32 or bf16 for training. `weight_drop` is the probability with which weights
  // of W are dropped; 0 for inference. With `sampled`, the output layer of symbols serves only the backward() of a
  // network with samples.
  NetworkWeights(const NetworkConfig& config, Purpose purpose, Precision precision = Precision::kF32,
                 double weight_drop = 0, bool sampled = false);
  // Packs the values of `parameters`. Embeddings, the decoder, and what is no matrix are viewed, not copied, and must
  // outlive this. Requires parameters stored in f32 or in the precision of the products; f32 for training. `noise`
  // determines which weights are dropped.
  void pack(const ParametersView& parameters, Workers& workers, NoiseKey noise = {});
  void pack(const Parameters& parameters, Workers& workers, NoiseKey noise = {}) {
    pack(parameters.view(), workers, noise);
  }

  [[nodiscard]] Precision precision() const noexcept { return precision_; }
  [[nodiscard]] const WeightView& encoder() const noexcept { return viewed_.encoder; }
  [[nodiscard]] const WeightView& chars_encoder() const noexcept { return viewed_.chars_encoder; }
  [[nodiscard]] std::span<const RecurrentWeights> chars_layers() const noexcept { return chars_layers_; }
  // One per layer and direction.
  [[nodiscard]] std::span<const RecurrentWeights> layers() const noexcept { return layers_; }
  [[nodiscard]] std::span<const ConditionParams<const float>> conditions() const noexcept { return viewed_.conditions; }
  [[nodiscard]] const ProjectionWeights& projection() const noexcept { return projection_; }
  [[nodiscard]] std::span<const float> attention() const noexcept { return viewed_.attention; }
  [[nodiscard]] const OutputWeights& output() const noexcept { return output_; }
  // The output layer that predicts symbols: output(), or the one next to a task, which only training has.
  [[nodiscard]] const OutputWeights& language() const noexcept { return language_ ? *language_ : output_; }
  [[nodiscard]] const CrfTables<const float>& crf() const noexcept { return viewed_.crf; }
  [[nodiscard]] std::int64_t bytes() const noexcept;

 private:
  // W after weight-drop.
  WeightView drop_weights(const WeightView& W, Workers& workers, NoiseKey noise, std::size_t layer);

  NetworkConfig config_;
  Precision precision_;
  double weight_drop_;
  std::vector<FloatBuffer> dropped_;  // W of each layer after weight-drop; empty without it
  ParametersView viewed_;
  std::vector<RecurrentWeights> chars_layers_;
  std::vector<RecurrentWeights> layers_;
  ProjectionWeights projection_;  // empty if there is none
  OutputWeights output_;
  std::optional<OutputWeights> language_;
};

}  // namespace unroll
