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
#include "model/gradients.h"
#include "model/parameters.h"
#include "nn/dropout.h"
#include "nn/recurrent.h"
#include "nn/softmax_loss.h"
#include "text/batcher.h"
#include "unroll/network.h"

namespace unroll {

enum class Purpose { kInference, kTraining };

// A network's parameters made ready for products. Immutable between calls of pack(), so that any number of networks
// may read it at once.
class NetworkWeights {
 public:
  // `precision` is that of the products. Requires f32 or bf16 for training.
  NetworkWeights(const NetworkConfig& config, Purpose purpose, Precision precision = Precision::kF32);
  // Takes the values of `parameters`, of which the encoder and the decoder's bias are viewed, not copied: they must
  // outlive this. Requires parameters stored in f32 or in the precision of the products; f32 for training.
  void pack(const ParametersView& parameters, Workers& workers);
  void pack(const Parameters& parameters, Workers& workers) { pack(parameters.view(), workers); }

  [[nodiscard]] Precision precision() const noexcept { return precision_; }
  [[nodiscard]] const WeightView& encoder() const noexcept { return encoder_; }
  [[nodiscard]] const RecurrentWeights& layer(std::int64_t l) const { return layers_.at(static_cast<std::size_t>(l)); }
  [[nodiscard]] const SoftmaxWeights& head() const noexcept { return head_; }
  [[nodiscard]] std::int64_t bytes() const noexcept;

 private:
  NetworkConfig config_;
  Precision precision_;
  WeightView encoder_;
  std::vector<RecurrentWeights> layers_;
  SoftmaxWeights head_;
};

// The hidden state of B rows between windows: layer l's rows stand at l*B. Zero when made.
struct NetworkState {
  NetworkState(const NetworkConfig& config, std::int64_t B);
  [[nodiscard]] RecurrentState<float> layer(std::int64_t l) const;  // (B, H) each
  void set_zero();

  std::int64_t B = 0;
  std::int64_t H = 0;
  FloatBuffer h;  // (L*B, H)
  FloatBuffer c;  // (L*B, H) LSTM only
};

// One planned piece of memory.
struct PlannedBuffer {
  std::string name;
  std::int64_t floats = 0;
};

// A network's activations for windows of at most T steps and B rows, planned once; any smaller window runs in them.
// Not for two threads at once; the weights are shared.
class Network {
 public:
  Network(const NetworkConfig& config, Purpose purpose, std::int64_t T, std::int64_t B, Workers& workers);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // What the constructor allocates.
  static std::vector<PlannedBuffer> plan(const NetworkConfig& config, Purpose purpose, std::int64_t T, std::int64_t B);

  // Runs `window` from `state` and leaves the state after it there. `dropout` with probability 0 drops nothing.
  // The outputs of the last layer are in outputs() until the next call.
  void forward(const NetworkWeights& weights, const Window& window, NetworkState& state, const DropoutKey& dropout);

  // (T*B, H) of the last forward.
  [[nodiscard]] MatView<const float> outputs() const noexcept;

  // Per (t, b) of the last forward: log-probability of the target in nats; 0 where it is ignored. The view is valid
  // until the next call.
  std::span<const double> log_probs(const NetworkWeights& weights, const Window& window);

  // The same with rank and entropy.
  std::span<const SymbolPrediction> predictions(const NetworkWeights& weights, const Window& window);

  // Hands the logits (V) of every row of the last forward to `read`, from several workers at once. The softmax of a row
  // is what log_probs() and predictions() tell about, to the bit.
  void read_logits(const NetworkWeights& weights, const LogitsReader& read);

  // Logits of one row of the last forward: out (V).
  void logits(const NetworkWeights& weights, std::int64_t row, std::span<float> out);

  // Backpropagation through time over the last forward, which must have been a training network's.
  //
  // Loss     mean over the window's predictions of -ln p(target), returned in nats.
  // Adds     its gradient to `gradients`.
  // State    no gradient comes from after the window (truncation); if `dstate0` is given it is set to the gradient with
  //          respect to the state before the window.
  // Threads  the bits of the result do not depend on the number of workers.
  double backward(const NetworkWeights& weights, const Window& window, const DropoutKey& dropout, Gradients& gradients,
                  NetworkState* dstate0 = nullptr);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
