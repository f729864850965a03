// The network: embedding, recurrent layers, output layer; forward, and backward through the same tape.
//
// There is one forward pass. Training runs it with a tape that keeps every layer, inference with a tape whose layers
// share memory; both compute the same bits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/view.h"
#include "base/workers.h"
#include "network/activations.h"
#include "network/gradients.h"
#include "network/levels.h"
#include "network/network_weights.h"
#include "network/output_layer.h"
#include "network/parameters.h"
#include "nn/dropout.h"
#include "text/window.h"
#include "unroll/network.h"
#include "unroll/regularization.h"

namespace unroll {

// What the mean loss of a window is a mean over: the sum of the weights of its predictions.
[[nodiscard]] double loss_weight(const NetworkConfig& config, const Window& window) noexcept;

// Told, on the calling thread, that gradients of the output layer (level config.layers) and then of a level are
// complete, from the last one down; those before it in Gradients::dense() may not be yet. Of levels only where
// levels_stay().
using GradientsReady = std::function<void(std::int64_t level)>;

// Whether gradients of levels are complete before the end of backward(). Weight-drop masks them there, and initial
// states, which lie behind those of levels, are added there.
[[nodiscard]] bool levels_stay(const NetworkConfig& config, const Regularization& regularization) noexcept;

// A network's activations for windows of T steps and B rows, planned once; any window of at most B rows and at most T*B
// steps in all of them runs in them.
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

  // Every forward() from now on calls `read` with the inputs of the first level and the outputs of each.
  void read_levels(LevelReader read);

  // Runs `window` from `state`, and sets `state` to the state after it. Rows with a condition begin from its state.
  // `noise` determines the masks of a training network. The inputs of the output layer are in outputs() until the next
  // call.
  void forward(const NetworkWeights& weights, const Window& window, NetworkState& state, NoiseKey noise = {});

  // (T*B, level_inputs(0)) what the first level read in the last forward: embeddings, and vectors from characters.
  [[nodiscard]] MatView<const float> inputs() const noexcept;

  // (T*B, decoder_inputs) of the last forward; of a task one row per text, if its readout gives that.
  [[nodiscard]] MatView<const float> outputs() const noexcept;

  // Per (t, b) of the last forward: the log-probability of the target in nats; 0 if it is ignored. Of a language model
  // of both directions per step of the forward one and then of the backward one. The view is valid until the next call.
  std::span<const double> log_probs(const NetworkWeights& weights, const Window& window);

  // The same with rank and entropy.
  std::span<const SymbolPrediction> predictions(const NetworkWeights& weights, const Window& window);

  // Passes the logits (V) of every row of the last forward to `read`, from several workers at once. Their softmax has
  // the bits of log_probs() and predictions(). With cutoffs they are log-probabilities, rounded to float, and
  // log_probs() differs from their softmax by that rounding.
  void read_logits(const NetworkWeights& weights, const LogitsReader& read);

  // The same of the first `rows` rows.
  void read_logits(const NetworkWeights& weights, std::int64_t rows, const LogitsReader& read);

  // Sets out (V) to the logits of one row of the last forward, or with cutoffs to its log-probabilities.
  void logits(const NetworkWeights& weights, std::int64_t row, std::span<float> out);

  // Of a network with config.outputs: its outputs (rows, K) of the last forward, a row per text or, with the readout
  // steps, per step. The view is valid until the next call.
  MatView<const float> scores(const NetworkWeights& weights);

  // The loss of each of these rows; 0 where the target is ignored. With the loss crf that of a text is at its first
  // step. The view is valid until the next call.
  std::span<const double> losses(const NetworkWeights& weights, const Window& window);

  // Backpropagation through time over the last forward, for a training network.
  //
  // Loss     mean over the window's predictions of -ln p(target), returned in nats; 0 without predictions. The gradient
  //          is that of window.part.share times it, and times the activation penalties. With
  //          config.outputs, the mean of their losses, weighted by window.weights; with config.language, the gradient
  //          is that of this mean and of regularization.language times the mean loss of symbols.
  // Adds     its gradient and that of the activation penalties to `gradients`. With weight-drop, the gradients of W
  //          must be zero before, since they are masked as a whole.
  // Noise    must be that of the forward, and of the weights' pack().
  // State    no gradient comes from after the window (truncation); `dstate0`, if given, is set to the gradient with
  //          respect to the state before the window.
  // Threads  the bits of the result do not depend on the number of workers.
  double backward(const NetworkWeights& weights, const Window& window, Gradients& gradients, NoiseKey noise = {},
                  NetworkState* dstate0 = nullptr, const GradientsReady& ready = {});

  // The tapes of the recurrent layers in the last forward of a training network, one per layer and direction;
  // backward() overwrites them.
  [[nodiscard]] std::span<const RecurrentTape> tapes() const noexcept;

  // Of a language model of one direction, for a training network: returns the gradient of `scale` times -ln p(target)
  // of each row of the last forward with respect to the last level's output in that row, (T*B, H): zero where the
  // target is ignored. Adds to `gradients`. The view is valid until the next call.
  MatView<const float> output_gradients(const NetworkWeights& weights, const Window& window, float scale,
                                        Gradients& gradients);

  // Of a network with config.outputs, for a training network without dropout: returns the gradient of the sum of
  // dscores (rows, K) times scores() with respect to the last level's outputs, (T*B, D). Overwrites dscores; adds to
  // `gradients`. The view is valid until the next call.
  MatView<const float> output_gradients(const NetworkWeights& weights, const Window& window, MatView<float> dscores,
                                        Gradients& gradients);

  // The same with respect to what enters the first level, (T*B, level_inputs(0)).
  MatView<const float> input_gradients(const NetworkWeights& weights, const Window& window, MatView<float> dscores,
                                       Gradients& gradients);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
