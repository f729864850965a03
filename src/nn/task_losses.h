// The losses of tasks: each of R rows has K outputs y and its own loss, a function of them and of what was wanted
// (unroll/loss.h). A row is a text, or a step of one. Transitions between steps have a loss of their own: nn/crf.h.
//
// Shapes   outputs (R, K); losses, weights and labels (R); wanted (R, K).
// Sets     losses, without weights; the functions with weights also replace `outputs` by the gradient of
//          sum over r of weights[r] losses[r].
// Numerics sums over outputs in double, in an order that K alone fixes; a row's bits do not depend on other rows.
//          Nothing overflows. NaN in the outputs of a row gives NaN.
// Ignored  rows whose label is negative, and rows of weight 0: loss and gradient are 0, whatever the row contains.
// Threads  use `workers`.
// Source   docs/math/task_losses.md.
#pragma once

#include <cstdint>
#include <span>

#include "base/view.h"
#include "base/workers.h"

namespace unroll {

// Loss::kSoftmax: losses[r] = -ln softmax(y_r)[labels[r]].
void softmax_losses(Workers& workers, MatView<const float> outputs, std::span<const std::int32_t> labels,
                    std::span<double> losses);

// The same with gradients, and with labels of which a share `smoothing` in [0, 1) is spread over all K:
//
//   q = (1 - smoothing) [k = label] + smoothing / K
//   loss = -sum over k of q_k ln softmax(y)_k          dy = w (softmax(y) - q)
void softmax_losses_and_gradients(Workers& workers, MatView<float> outputs, std::span<const std::int32_t> labels,
                                  std::span<const float> weights, double smoothing, std::span<double> losses);

// Loss::kSigmoid: losses[r] = -sum over k of ln sigmoid(y_k) where wanted is not 0, of ln sigmoid(-y_k) where it is.
void sigmoid_losses(Workers& workers, MatView<const float> outputs, MatView<const std::uint8_t> wanted,
                    std::span<double> losses);

// dy_k = w (sigmoid(y_k) - [wanted_k]).
void sigmoid_losses_and_gradients(Workers& workers, MatView<float> outputs, MatView<const std::uint8_t> wanted,
                                  std::span<const float> weights, std::span<double> losses);

// Loss::kSquared: losses[r] = sum over k of (y_k - wanted_k)^2 / 2.
void squared_losses(Workers& workers, MatView<const float> outputs, MatView<const float> wanted,
                    std::span<double> losses);

// dy_k = w (y_k - wanted_k).
void squared_losses_and_gradients(Workers& workers, MatView<float> outputs, MatView<const float> wanted,
                                  std::span<const float> weights, std::span<double> losses);

}  // namespace unroll
