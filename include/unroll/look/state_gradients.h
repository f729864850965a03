// Gradients of predictions with respect to every state and input before them: backpropagation through time, step by
// step.
//
//   unroll::StateGradients back(text, {63});
//   while (back.next()) std::cout << back.lag() << ' ' << back.ln_carried_norm(0) << '\n';
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "unroll/look/unrolled_text.h"

namespace unroll {

// The loss -ln p(symbol) at a step.
struct ChosenPrediction {
  std::int64_t step = 0;
  std::int32_t symbol = -1;  // -1: the one that the text has there
};

// Gradients of the losses L_t of several predictions of a text, with respect to what its step t - k computed, for lag
// k = 0, 1, ... Each prediction has its own, whatever others are asked for at the same time.
//
// Of a layer, with respect to the state s = (h, c) that one step hands to the next:
//
//   h            dL_t/dh_{t-k} through all that reads h: the next step, the layer above, the output layer
//   c            dL_t/dc_{t-k} as the next step reads c, h being held
//   through_h    the rest of the gradient of c: that of h_{t-k}, which c_{t-k} makes. c + through_h is what an LSTM's
//                backward pass calls dc
//   x            dL_t/dx_{t-k}: of what enters the first layer
//   ln_carried_norm  ln ||dL_t/ds||, s = (h, c) of all layers as step t - k + 1 reads them from step t - k; at lag 0
//                that of the gradient of the last layer's output
//
// A gradient is what h(), c(), ... return times 2^exponent(): it neither vanishes nor overflows, however long the lag.
// It ends where a line begins from the zero state (has() is false beyond), and at the beginning of the text.
//
// Cost     of a lag about that of a training step with one step and as many rows as predictions.
// Threads  not at the same time as anything else that uses the same UnrolledText, which must outlive it.
class StateGradients {
 public:
  // Throws Error{kUsage} of a model that labels texts, for a step that the text does not have, for a symbol that the
  // vocabulary does not have, and for a step without a prediction.
  StateGradients(const UnrolledText& text, std::vector<ChosenPrediction> predictions);
  ~StateGradients();
  StateGradients(StateGradients&&) noexcept;
  StateGradients& operator=(StateGradients&&) noexcept;

  // Goes on to the next lag, first to 0. False when no prediction has it.
  [[nodiscard]] bool next();

  [[nodiscard]] std::int64_t lag() const noexcept;

  // Whether prediction i has a step at this lag. What follows requires it.
  [[nodiscard]] bool has(std::int64_t i) const;

  [[nodiscard]] int exponent(std::int64_t i) const;
  [[nodiscard]] std::span<const float> x(std::int64_t i) const;
  [[nodiscard]] std::span<const float> h(std::int64_t l, std::int64_t i) const;
  [[nodiscard]] std::span<const float> c(std::int64_t l, std::int64_t i) const;          // empty without c
  [[nodiscard]] std::span<const float> through_h(std::int64_t l, std::int64_t i) const;  // empty without c

  // Natural logarithm of the norm; minus infinity where it is zero.
  [[nodiscard]] double ln_carried_norm(std::int64_t i) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
