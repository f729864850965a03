#include "probe/softmax_regression.h"

#include <algorithm>

#include "kernels/softmax.h"

namespace unroll {
namespace {

// Rows of a block, and blocks that are summed up at once: neither depends on the number of workers.
constexpr std::int64_t kBlockRows = 2048;
constexpr std::int64_t kBlocksAtOnce = 16;

std::int64_t count_blocks(std::int64_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }

MatView<const float> rows_of_block(MatView<const float> x, std::int64_t block) {
  const std::int64_t first = block * kBlockRows;
  return x.row_range(first, std::min(kBlockRows, x.rows - first));
}

// Weights as they are multiplied.
struct PackedWeights {
  PackedWeights(std::span<const double> weights, std::int64_t K, std::int64_t D)
      : rounded(weights.begin(), weights.end()), W(D, K) {
    W.pack_transposed(MatView<const float>(rounded.data(), K, D));
  }
  [[nodiscard]] std::span<const float> bias(std::int64_t K) const {
    return std::span(rounded).last(static_cast<std::size_t>(K));
  }

  std::vector<float> rounded;
  PackedMatrix W;
};

}  // namespace

SoftmaxRegression::SoftmaxRegression(Workers& workers, MatView<const float> x, std::span<const std::int32_t> labels,
                                     std::int64_t K)
    : workers_(workers), x_(x), labels_(labels), K_(K) {
  blocks_.resize(static_cast<std::size_t>(std::min(kBlocksAtOnce, count_blocks(x.rows))));
}

double SoftmaxRegression::loss_and_gradient(double l2, std::span<const double> weights, std::span<double> gradient) {
  const PackedWeights packed(weights, K_, x_.cols);
  const auto scale = static_cast<float>(1 / static_cast<double>(x_.rows));
  const std::int64_t blocks = count_blocks(x_.rows);
  std::ranges::fill(gradient, 0.0);
  double loss = 0;
  for (std::int64_t first = 0; first < blocks; first += kBlocksAtOnce) {
    const std::int64_t count = std::min(kBlocksAtOnce, blocks - first);
    workers_.run(count, [&](std::int64_t i) {
      run_block(first + i, packed.W, packed.bias(K_), scale, blocks_[static_cast<std::size_t>(i)]);
    });
    for (std::int64_t i = 0; i < count; ++i) {
      const Block& block = blocks_[static_cast<std::size_t>(i)];
      loss += block.loss;
      for (std::size_t j = 0; j < gradient.size(); ++j) gradient[j] += static_cast<double>(block.gradient[j]);
    }
  }
  loss /= static_cast<double>(x_.rows);
  double squares = 0;
  for (std::size_t j = 0; j < static_cast<std::size_t>(K_ * x_.cols); ++j) {
    squares += weights[j] * weights[j];
    gradient[j] += l2 * weights[j];
  }
  return loss + l2 / 2 * squares;
}

void SoftmaxRegression::run_block(std::int64_t block, const PackedMatrix& W, std::span<const float> b, float scale,
                                  Block& out) const {
  const MatView<const float> x = rows_of_block(x_, block);
  out.scores.resize(static_cast<std::size_t>(x.rows * K_));
  out.gradient.assign(weights(), 0.0F);
  out.loss = 0;
  const MatView<float> y(out.scores.data(), x.rows, K_);
  W.multiply(x, b, y);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const std::int32_t label = labels_[static_cast<std::size_t>(block * kBlockRows + r)];
    out.loss -= log_softmax_and_gradient_at({y.row(r), static_cast<std::size_t>(K_)}, label, scale);
  }
  const TransposedProduct product{x, {out.gradient.data(), K_, x.cols}};
  add_transposed_products(Precision::kF32, y, std::span(&product, 1),
                          std::span(out.gradient).last(static_cast<std::size_t>(K_)));
}

RegressionAnswers answer_rows(Workers& workers, MatView<const float> x, std::span<const std::int32_t> labels,
                              std::int64_t K, std::span<const double> weights) {
  const PackedWeights packed(weights, K, x.cols);
  RegressionAnswers answers{.labels = std::vector<std::int32_t>(static_cast<std::size_t>(x.rows))};
  std::vector<double> nats(static_cast<std::size_t>(count_blocks(x.rows)));
  workers.run(count_blocks(x.rows), [&](std::int64_t block) {
    const MatView<const float> rows = rows_of_block(x, block);
    std::vector<float> scores(static_cast<std::size_t>(rows.rows * K));
    const MatView<float> y(scores.data(), rows.rows, K);
    packed.W.multiply(rows, packed.bias(K), y);
    for (std::int64_t r = 0; r < rows.rows; ++r) {
      const auto at = static_cast<std::size_t>(block * kBlockRows + r);
      const std::span<const float> row(y.row(r), static_cast<std::size_t>(K));
      answers.labels[at] = static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin());
      if (labels[at] >= 0) nats[static_cast<std::size_t>(block)] -= log_softmax_at(row, labels[at]);
    }
  });
  for (const double of_block : nats) answers.nats += of_block;
  return answers;
}

}  // namespace unroll
