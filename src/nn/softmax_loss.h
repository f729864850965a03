// The output layer and its loss, fused over blocks of rows: logits exist for one block at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/view.h"
#include "base/workers.h"
#include "kernels/matmul.h"
#include "kernels/softmax.h"

namespace unroll {

// The output layer packed for products: logits = V_out h + bias.
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

// The most rows of logits that exist at once: as many as fit a fixed number of bytes, depending on the shape alone;
// never more for fewer rows, so that a smaller window fits the planned memory.
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

// softmax_loss with rank and entropy of each prediction.
void softmax_predictions(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights,
                         MatView<const float> h, std::span<const std::int32_t> targets, MatView<float> logits,
                         std::span<SymbolPrediction> predictions);

// Receives a row of logits (V), and may overwrite it: it is not read afterwards.
using LogitsReader = std::function<void(std::int64_t row, std::span<float> logits)>;

// Passes every row of logits, V_out h_r + bias, to `read`; from several workers at once, in any order.
void softmax_logits(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights, MatView<const float> h,
                    MatView<float> logits, const LogitsReader& read);

}  // namespace unroll
