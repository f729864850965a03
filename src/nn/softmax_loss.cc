#include "nn/softmax_loss.h"

#include <algorithm>

#include "nn/recurrent_steps.h"

namespace unroll {
namespace {

constexpr std::int64_t kBlockBytes = std::int64_t{32} << 20;
constexpr std::int64_t kLeastRows = 48;

// Runs each_row(row, its logits) on every row, then after_range(first row, logits) on each range of rows, in parallel;
// after each block after_block(first row, logits). Only the logits of one block exist at a time.
template <class EachRow, class AfterRange, class AfterBlock>
void for_each_block(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights, MatView<const float> h,
                    MatView<float> logits, const EachRow& each_row, const AfterRange& after_range,
                    const AfterBlock& after_block) {
  // Blocks of equal size, none above the planned size: a short last block would leave workers idle.
  const std::int64_t most = softmax_block_rows(shape);
  const std::int64_t blocks = (shape.rows + most - 1) / most;
  const std::int64_t block_rows = (shape.rows + blocks - 1) / blocks;
  for (std::int64_t block = 0; block < shape.rows; block += block_rows) {
    const std::int64_t rows = std::min(block_rows, shape.rows - block);
    workers.run_balanced(rows, kLogitRows, kProductRows, [&](std::int64_t first, std::int64_t last) {
      const MatView<float> range = logits.row_range(first, last - first);
      weights.V_out.multiply(h.row_range(block + first, last - first), weights.bias, range);
      for (std::int64_t r = first; r < last; ++r) {
        each_row(block + r, std::span<float>(logits.row(r), static_cast<std::size_t>(shape.V)));
      }
      after_range(block + first, range);
    });
    after_block(block, logits.row_range(0, rows));
  }
}

constexpr auto kNoVisit = [](std::int64_t, MatView<float>) {};

}  // namespace

std::int64_t softmax_block_rows(const SoftmaxShape& shape) noexcept {
  const std::int64_t fitting = kBlockBytes / (shape.V * static_cast<std::int64_t>(sizeof(float)));
  return std::min(shape.rows, std::max(kLeastRows, fitting));
}

void softmax_loss(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights, MatView<const float> h,
                  std::span<const std::int32_t> targets, MatView<float> logits, std::span<double> log_probs) {
  const auto each_row = [&](std::int64_t r, std::span<float> row) {
    const std::int32_t target = targets[static_cast<std::size_t>(r)];
    log_probs[static_cast<std::size_t>(r)] = target < 0 ? 0.0 : log_softmax_at(row, target);
  };
  for_each_block(workers, shape, weights, h, logits, each_row, kNoVisit, kNoVisit);
}

void softmax_loss_and_gradient(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights,
                               MatView<const float> h, std::span<const std::int32_t> targets, float scale,
                               MatView<float> logits, std::span<double> log_probs, MatView<float> dV_out,
                               std::span<float> dbias, MatView<float> dh) {
  const auto each_row = [&](std::int64_t r, std::span<float> row) {
    const std::int32_t target = targets[static_cast<std::size_t>(r)];
    double& log_prob = log_probs[static_cast<std::size_t>(r)];
    if (target < 0) {
      std::fill(row.begin(), row.end(), 0.0F);
      log_prob = 0;
    } else {
      log_prob = log_softmax_and_gradient_at(row, target, scale);
    }
  };
  const auto after_range = [&](std::int64_t first, MatView<float> dlogits) {
    weights.V_out_back.multiply(dlogits, {}, dh.row_range(first, dlogits.rows));
  };
  const auto after_block = [&](std::int64_t first, MatView<float> dlogits) {
    add_weight_gradients(workers, weights.V_out.precision(), dlogits, {{h.row_range(first, dlogits.rows), dV_out}},
                         dbias);
  };
  for_each_block(workers, shape, weights, h, logits, each_row, after_range, after_block);
}

void softmax_predictions(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights,
                         MatView<const float> h, std::span<const std::int32_t> targets, MatView<float> logits,
                         std::span<SymbolPrediction> predictions) {
  const auto each_row = [&](std::int64_t r, std::span<float> row) {
    const std::int32_t target = targets[static_cast<std::size_t>(r)];
    predictions[static_cast<std::size_t>(r)] = target < 0 ? SymbolPrediction{} : predict_symbol(row, target);
  };
  for_each_block(workers, shape, weights, h, logits, each_row, kNoVisit, kNoVisit);
}

void softmax_logits(Workers& workers, const SoftmaxShape& shape, const SoftmaxWeights& weights, MatView<const float> h,
                    MatView<float> logits, const LogitsReader& read) {
  for_each_block(workers, shape, weights, h, logits, read, kNoVisit, kNoVisit);
}

}  // namespace unroll
