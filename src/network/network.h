// The network: embedding, recurrent layers, softmax at every step; forward, and backward through the same tape.
//
// There is one forward pass. Training runs it with a tape that keeps every layer, inference with a tape whose layers
// share memory; both compute the same bits.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/view.h"
#include "base/workers.h"
#include "network/activations.h"
#include "network/gradients.h"
#include "network/output_layer.h"
#include "network/parameters.h"
#include "nn/dropout.h"
#include "nn/projection.h"
#include "nn/recurrent.h"
#include "text/window.h"
#include "unroll/network.h"
#include "unroll/regularization.h"

namespace unroll {

// A network's parameters packed for products. Immutable between calls of pack(), so that any number of networks may
// read it at once.
class NetworkWeights {
 public:
  // `precision` is that of the products: f32 or bf16 for training. `weight_drop` is the probability with which weights
  // of W are dropped; 0 for inference. With `sampled`, the output layer serves only the backward() of a network with
  // samples.
  NetworkWeights(const NetworkConfig& config, Purpose purpose, Precision precision = Precision::kF32,
                 double weight_drop = 0, bool sampled = false);
  // Packs the values of `parameters`. The encoder, the decoder and its bias are viewed, not copied, and must outlive
  // this. Requires parameters stored in f32 or in the precision of the products; f32 for training. `noise` determines
  // which weights are dropped.
  void pack(const ParametersView& parameters, Workers& workers, NoiseKey noise = {});
  void pack(const Parameters& parameters, Workers& workers, NoiseKey noise = {}) {
    pack(parameters.view(), workers, noise);
  }

  [[nodiscard]] Precision precision() const noexcept { return precision_; }
  [[nodiscard]] const WeightView& encoder() const noexcept { return encoder_; }
  [[nodiscard]] const RecurrentWeights& layer(std::int64_t l) const { return layers_.at(static_cast<std::size_t>(l)); }
  [[nodiscard]] const ProjectionWeights& projection() const noexcept { return projection_; }
  [[nodiscard]] const OutputWeights& output() const noexcept { return output_; }
  [[nodiscard]] std::int64_t bytes() const noexcept;

 private:
  // W after weight-drop.
  WeightView drop_weights(const WeightView& W, Workers& workers, NoiseKey noise, std::size_t l);

  NetworkConfig config_;
  Precision precision_;
  double weight_drop_;
  std::vector<FloatBuffer> dropped_;  // W of each layer after weight-drop; empty without it
  WeightView encoder_;
  std::vector<RecurrentWeights> layers_;
  ProjectionWeights projection_;  // empty if there is none
  OutputWeights output_;
};

// The hidden state of B rows between windows: layer l's rows begin at l*B. Initially zero.
struct NetworkState {
  NetworkState(const NetworkConfig& config, std::int64_t B);
  [[nodiscard]] RecurrentState<float> layer(std::int64_t l) const;  // (B, H) each
  void set_zero();

  std::int64_t B = 0;
  std::int64_t H = 0;
  FloatBuffer h;  // (L*B, H)
  FloatBuffer c;  // (L*B, H) LSTM only
};

// A network's activations for windows of at most T steps and B rows, planned once; any smaller window runs in them.
// One thread at a time; weights can be shared.
class Network {
 public:
  // `regularization` applies in training (NetworkWeights need the same probability of weight-drop); default for
  // inference. `samples`: the loss of backward() is that of a sampled softmax (nn/sampled_softmax.h) with this number
  // of symbols per window, drawn by its noise key; 0: exact softmax. A network with samples only trains: it has no
  // log_probs(), predictions() or logits.
  Network(const NetworkConfig& config, Purpose purpose, std::int64_t T, std::int64_t B, Workers& workers,
          const Regularization& regularization = {}, std::int64_t samples = 0);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // The memory that the constructor allocates.
  static std::vector<PlannedBuffer> plan(const NetworkConfig& config, Purpose purpose, std::int64_t T, std::int64_t B,
                                         const Regularization& regularization = {}, std::int64_t samples = 0);

  // Runs `window` from `state`, and sets `state` to the state after it. `noise` determines the masks of a training
  // network. The inputs of the output layer are in outputs() until the next call.
  void forward(const NetworkWeights& weights, const Window& window, NetworkState& state, NoiseKey noise = {});

  // (T*B, decoder_inputs) of the last forward.
  [[nodiscard]] MatView<const float> outputs() const noexcept;

  // Per (t, b) of the last forward: the log-probability of the target in nats; 0 if it is ignored. The view is valid
  // until the next call.
  std::span<const double> log_probs(const NetworkWeights& weights, const Window& window);

  // The same with rank and entropy.
  std::span<const SymbolPrediction> predictions(const NetworkWeights& weights, const Window& window);

  // Passes the logits (V) of every row of the last forward to `read`, from several workers at once. Their softmax has
  // the bits of log_probs() and predictions(). With cutoffs they are log-probabilities, rounded to float, and
  // log_probs() differs from their softmax by that rounding.
  void read_logits(const NetworkWeights& weights, const LogitsReader& read);

  // Sets out (V) to the logits of one row of the last forward, or with cutoffs to its log-probabilities.
  void logits(const NetworkWeights& weights, std::int64_t row, std::span<float> out);

  // Backpropagation through time over the last forward, for a training network.
  //
  // Loss     mean over the window's predictions of -ln p(target), returned in nats; 0 without predictions.
  // Adds     its gradient and that of the activation penalties to `gradients`. With weight-drop, the gradients of W
  //          must be zero before, since they are masked as a whole.
  // Noise    must be that of the forward, and of the weights' pack().
  // State    no gradient comes from after the window (truncation); `dstate0`, if given, is set to the gradient with
  //          respect to the state before the window.
  // Threads  the bits of the result do not depend on the number of workers.
  double backward(const NetworkWeights& weights, const Window& window, Gradients& gradients, NoiseKey noise = {},
                  NetworkState* dstate0 = nullptr);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
