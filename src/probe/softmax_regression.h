// Multinomial logistic regression: labels of rows of numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"
#include "base/workers.h"
#include "kernels/matmul.h"

namespace unroll {

// Of N rows x of D numbers, each of which has one of K labels, and of weights W (K, D) and b (K):
//
//   J(W, b) = 1/N sum over rows of -ln softmax(W x + b)[label]  +  l2/2 sum of W^2
//
// which is convex, and with l2 > 0 has one minimum in W. (scikit-learn's C is 1 / (N l2).)
//
// Shapes   weights and gradient (K D + K): W row by row, then b.
// Numerics J and its gradient are sums in double over blocks of rows; within a block products and sums are those of
//          kernels/matmul.h in f32, at weights that are rounded to float.
// Threads  uses `workers`; the bits do not depend on their number.
// Source   docs/math/probe.md.
class SoftmaxRegression {
 public:
  // Views the rows and their labels, from 0 to K - 1.
  SoftmaxRegression(Workers& workers, MatView<const float> x, std::span<const std::int32_t> labels, std::int64_t K);

  [[nodiscard]] std::size_t weights() const noexcept { return static_cast<std::size_t>(K_ * (x_.cols + 1)); }

  // Returns J, and sets `gradient` to its gradient.
  double loss_and_gradient(double l2, std::span<const double> weights, std::span<double> gradient);

 private:
  // What a task computes of a block of rows.
  struct Block {
    std::vector<float> scores;    // (rows, K)
    std::vector<float> gradient;  // as weights
    double loss = 0;
  };

  void run_block(std::int64_t block, const PackedMatrix& W, std::span<const float> b, float scale, Block& out) const;

  Workers& workers_;
  MatView<const float> x_;
  std::span<const std::int32_t> labels_;
  std::int64_t K_;
  std::vector<Block> blocks_;
};

// How well weights answer for rows.
struct RegressionAnswers {
  std::vector<std::int32_t> labels = {};  // of each row: that of the greatest score, of equal ones the first
  double nats = 0;                        // the sum of -ln p(label) over rows whose label is not negative
};

[[nodiscard]] RegressionAnswers answer_rows(Workers& workers, MatView<const float> x,
                                            std::span<const std::int32_t> labels, std::int64_t K,
                                            std::span<const double> weights);

}  // namespace unroll
