// The output layer of tasks other than language modelling: readout, scores of labels or numbers, and their loss.
#pragma once

#include <span>
#include <vector>

#include "base/workers.h"
#include "network/gradients.h"
#include "network/levels.h"
#include "network/network_weights.h"
#include "nn/crf.h"
#include "text/window.h"

namespace unroll {

// Rows are the texts of a window, or with kSteps its steps t*B+b.
//
//   v = readout of the outputs (unroll/readout.h), with dropout in training     y = V_out v + bias
//
// and the loss of y (unroll/loss.h), each row's multiplied by its weight.
class LabelLayer {
 public:
  // Views `planned` memory. Requires a config with outputs.
  LabelLayer(const ActivationShape& shape, LabelActivations& planned, Workers& workers);

  // Sets the input of the output layer from the outputs (T*B, D) of the last level.
  void forward(const NetworkWeights& weights, const Window& window, MatView<float> outputs, const DropoutMask& mask);

  // The input of the output layer in the last forward (rows, decoder_inputs).
  [[nodiscard]] MatView<const float> inputs() const noexcept { return inputs_; }

  // y (rows, K) of the last forward. The view is valid until the next call.
  MatView<float> scores(const NetworkWeights& weights);

  // Sets losses (rows): the loss of each row, without its weight; 0 where it does not count. With kCrf the loss of a
  // text stands at its first step.
  void losses(const NetworkWeights& weights, const Window& window, std::span<double> losses);

  // The same, with the labels of kSoftmax smoothed (Regularization::label_smoothing), and the gradient of
  // scale * sum over rows of weight * loss. Adds to the output layer's part of
  // `gradients`; sets dy (T*B, D), the gradient of the outputs.
  void loss_and_gradient(const NetworkWeights& weights, const Window& window, float scale, std::span<double> losses,
                         Gradients& gradients, const DropoutMask& mask, MatView<float> dy);

  // Given dscores (rows, K), a gradient of y that is overwritten: the backward of scores() and forward().
  void backward(const NetworkWeights& weights, const Window& window, MatView<float> dscores, Gradients& gradients,
                const DropoutMask& mask, MatView<float> dy);

 private:
  [[nodiscard]] bool pools() const noexcept { return shape_.config.readout != Readout::kSteps; }
  [[nodiscard]] PoolingShape pooled(const Window& window) const;
  [[nodiscard]] CrfShape chain(const Window& window) const;
  // The loss of a text stands at its first step.
  static void set_text_losses(const Window& window, std::span<const double> log_probs, std::span<double> losses);
  static void zero_idle_rows(const Window& window, MatView<float> y);

  const ActivationShape& shape_;
  LabelActivations& planned_;
  Workers& workers_;
  MatView<float> outputs_;  // of the last forward
  MatView<float> inputs_;   // of the output layer
  CrfTape chain_;
};

}  // namespace unroll
