// The output layer and its loss, fused over blocks of rows: logits exist for one block only.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/view.h"
#include "base/workers.h"
#include "kernels/matmul.h"
#include "kernels/softmax.h"

namespace unroll {

// The output layer made ready for products: logits = V_out h + bias.
struct SoftmaxWeights {
  PackedMatrix V_out;           // (H, V)
  PackedMatrix V_out_back;      // (V, H); empty for inference
  std::span<const float> bias;  // (V)
};

struct SoftmaxShape {
  std::int64_t rows = 0;  // R = T*B
  std::int64_t H = 0;
  std::int64_t V = 0;
};

// The most rows of logits that exist at once: a fixed budget of bytes, by the shape alone; never more for fewer rows,
// so that a smaller window fits what was planned.
[[nodiscard]] std::int64_t softmax_block_rows(const SoftmaxShape& shape) noexcept;

// log_probs[r] = ln softmax(V_out h_r + bias)[targets[r]], 0 where the target is negative (ignored).
//
// Shapes   h (R, H) contiguous, targets (R), logits scratch (softmax_block_rows, V), log_probs (R).
// Numerics products in the precision of the weights, sums over the vocabulary in double; a row's bits do not depend on
//          other rows.
// Threads  uses `workers`.
void softmax_loss(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights, MatView<const float> h,
                  std::span<const std::int32_t> targets, MatView<float> logits, std::span<double> log_probs);

// The same with the gradient of  scale * sum over r of -log_probs[r].
//
//   o = softmax(V_out h + bias)   dlogits = scale (o - 1[target])   dh = V_out^T dlogits
//   dV_out += dlogits^T h         dbias += sum dlogits
//
// Sets     dh (R, H) contiguous; zero where the target is ignored.
// Adds     to dV_out (V, H) and dbias (V).
// Source   docs/math/softmax_loss.md.
void softmax_loss_and_gradient(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights,
                               MatView<const float> h, std::span<const std::int32_t> targets, float scale,
                               MatView<float> logits, std::span<double> log_probs, MatView<float> dV_out,
                               std::span<float> dbias, MatView<float> dh);

// softmax_loss with everything that scoring tells about a prediction.
void softmax_predictions(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights,
                         MatView<const float> h, std::span<const std::int32_t> targets, MatView<float> logits,
                         std::span<SymbolPrediction> predictions);

// What is done with a row of logits (V). It may write over them: nobody reads them afterwards.
using LogitsReader = std::function<void(std::int64_t row, std::span<float> logits)>;

// Hands every row of logits, V_out h_r + bias, to `read`, whose softmax is the prediction of that row; from several
// workers at once, in no order.
void softmax_logits(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights, MatView<const float> h,
                    MatView<float> logits, const LogitsReader& read);

}  // namespace unroll
