// The recurrent layers of a network, in one or both directions: forward and backward through their tapes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/view.h"
#include "base/workers.h"
#include "network/activations.h"
#include "network/parameters.h"
#include "nn/directions.h"
#include "nn/dropout.h"
#include "nn/recurrent.h"

namespace unroll {

// The hidden state of B rows between windows, per layer and direction: layer number n's rows begin at n*B. Initially
// zero. A window of whole texts does not read it.
struct NetworkState {
  NetworkState(const NetworkConfig& config, std::int64_t B);
  [[nodiscard]] RecurrentState<float> layer(std::int64_t number) const;  // (B, H) each
  void set_zero();

  std::int64_t B = 0;
  std::int64_t H = 0;
  FloatBuffer h;  // (layers*B, H)
  FloatBuffer c;  // (layers*B, H) of cells that have one
};

// Takes what levels read and write in a window: as number 0 the input of the first one, as number l + 1 the output of
// level l, which is the input of the next. The rows (T*B, columns) are valid during the call.
using LevelReader = std::function<void(std::int64_t number, MatView<const float> rows)>;

// Runs the levels of a network over windows in planned memory: with dropout after each, and residual connections.
// One thread at a time.
class Levels {
 public:
  // Views `planned` memory for windows of `shape`; all must outlive it.
  Levels(const ActivationShape& shape, const LevelActivations& planned, Workers& workers);

  // Every forward() from now on calls `read` with each number, on the calling thread; empty: none does.
  void read_with(LevelReader read) { read_ = std::move(read); }

  // Says how large the next window is, and what it is a part of.
  void begin(const Steps& steps, const WindowPart& part) noexcept {
    steps_ = steps;
    part_ = part;
  }

  // Runs x (T*B, level_inputs(0)) through all levels from `state`, and sets `state` to the one after the window.
  // Returns the outputs of the last level (T*B, D). `reset` as in RecurrentTape; it and x must stay until backward().
  MatView<float> forward(std::span<const RecurrentWeights> weights, MatView<float> x,
                         std::span<const std::uint8_t> reset, NetworkState& state, NoiseKey noise);

  // Backward of forward(), from the gradient dy (T*B, D) of its outputs, which lies in d_activations. Adds to `dparams`
  // (one per layer), and sets the part of each layer in `dstate0` unless that is null. Returns dx, in d_activations.
  // Calls `done`, unless it is empty, with the number of each level whose part of `dparams` is complete.
  MatView<float> backward(std::span<const RecurrentWeights> weights, MatView<float> dy,
                          std::span<const RecurrentParams<float>> dparams, NoiseKey noise, NetworkState* dstate0,
                          const std::function<void(std::int64_t level)>& done = {});

  // The tapes of the last forward(), one per layer and direction, until backward(), which leaves gradients there.
  [[nodiscard]] std::span<const RecurrentTape> tapes() const noexcept { return tapes_; }

  // A matrix of that many columns and as many rows as `d`, in the other of the two buffers of gradients.
  [[nodiscard]] MatView<float> other_than(MatView<const float> d, std::int64_t cols) const;

  // A matrix of rows for gradients of the outputs, in the first of the two buffers.
  [[nodiscard]] MatView<float> gradients(std::int64_t rows, std::int64_t cols) const {
    return {planned_.d_activations[0].data, rows, cols};
  }

  // The mask of connection number `connection`: 0 is the output of the embedding, l+1 of level l.
  [[nodiscard]] DropoutMask mask(double probability, NoiseKey noise, std::int64_t connection) const;

 private:
  [[nodiscard]] std::int64_t rows() const noexcept { return steps_.T * steps_.B; }
  [[nodiscard]] DropoutMask output_mask(NoiseKey noise, std::int64_t l) const;
  MatView<float> forward_level(std::int64_t l, std::span<const RecurrentWeights> weights, MatView<float> x,
                               NetworkState& state);
  MatView<float> forward_layer(std::int64_t number, const RecurrentWeights& weights, MatView<const float> x,
                               std::span<const std::uint8_t> reset, const NetworkState& state);
  void backward_level(std::int64_t l, std::span<const RecurrentWeights> weights, MatView<float> dh,
                      std::span<const RecurrentParams<float>> dparams, MatView<float> dx, NetworkState* dstate0);
  void backward_layer(std::int64_t number, const RecurrentWeights& weights, MatView<const float> dh,
                      const RecurrentParams<float>& dparams, MatView<float> dx, NetworkState* dstate0);
  MatView<float> mix(std::int64_t l, NoiseKey noise, MatView<float> h, MatView<float> x);
  MatView<float> mix_backward(std::int64_t l, NoiseKey noise, MatView<float> dy);
  void add_rows(MatView<const float> x, MatView<float> y);

  const ActivationShape& shape_;
  const NetworkConfig& config_;
  const LevelActivations& planned_;
  Workers& workers_;
  LevelReader read_;
  // Of the last window.
  Steps steps_;
  WindowPart part_;
  std::vector<RecurrentTape> tapes_;
  std::vector<MatView<float>> inputs_;  // of each level
  std::vector<MatView<float>> h_;       // of each level: its output before mixing
  std::span<const std::uint8_t> reset_;
  std::vector<std::uint8_t> reversed_reset_;
};

// The mask of weight-drop of a layer's W.
[[nodiscard]] DropoutMask weight_drop_mask(double probability, NoiseKey noise, std::int64_t layer);

// The part of a planned buffer for a smaller window: the same memory, as contiguous rows.
template <class T>
MatView<T> fit(MatView<T> planned, std::int64_t rows) {
  assert(planned.data == nullptr || rows <= planned.rows);
  return planned.data == nullptr ? planned : planned.row_range(0, rows);
}

}  // namespace unroll
