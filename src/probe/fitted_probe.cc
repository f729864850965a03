#include "probe/fitted_probe.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "probe/lbfgs.h"
#include "probe/softmax_regression.h"

namespace unroll {
namespace {

constexpr std::array<double, 6> kStrengths{1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5};

std::span<const std::int32_t> part_of(std::span<const std::int32_t> labels, std::int64_t first, std::int64_t count) {
  return labels.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

}  // namespace

void standardize(std::int64_t rows, MatView<float> x) {
  const auto D = static_cast<std::size_t>(x.cols);
  std::vector<double> mean(D);
  std::vector<double> variance(D);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < D; ++c) mean[c] += static_cast<double>(x.row(r)[c]);
  }
  for (double& value : mean) value /= static_cast<double>(rows);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < D; ++c) {
      const double difference = static_cast<double>(x.row(r)[c]) - mean[c];
      variance[c] += difference * difference;
    }
  }
  std::vector<double> factor(D);
  for (std::size_t c = 0; c < D; ++c) {
    // What remains of a constant column is its mean's rounding.
    const double deviation = std::sqrt(variance[c] / static_cast<double>(rows));
    factor[c] = deviation > 1e-7 * std::abs(mean[c]) ? 1 / deviation : 0;
  }
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < D; ++c) {
      x.row(r)[c] = static_cast<float>((static_cast<double>(x.row(r)[c]) - mean[c]) * factor[c]);
    }
  }
}

FittedProbe fit_probe(Workers& workers, MatView<const float> x, std::span<const std::int32_t> labels, std::int64_t K,
                      const RowParts& parts) {
  SoftmaxRegression regression(workers, x.row_range(0, parts.train), part_of(labels, 0, parts.train), K);
  const MatView<const float> choose = x.row_range(parts.train, parts.choose);
  std::vector<double> weights(regression.weights());
  std::vector<double> best_weights;
  std::optional<double> best_nats;
  FittedProbe probe;
  for (const double l2 : kStrengths) {
    const LbfgsResult fitted =
        minimize([&](std::span<const double> at,
                     std::span<double> gradient) { return regression.loss_and_gradient(l2, at, gradient); },
                 weights);
    const double nats = answer_rows(workers, choose, part_of(labels, parts.train, parts.choose), K, weights).nats;
    if (best_nats && !(nats < *best_nats)) continue;
    best_nats = nats;
    best_weights = weights;
    probe.l2 = l2;
    probe.train_loss = fitted.value;
    probe.converged = fitted.converged;
  }
  const std::int64_t tested_from = parts.train + parts.choose;
  RegressionAnswers answers = answer_rows(workers, x.row_range(tested_from, parts.test),
                                          part_of(labels, tested_from, parts.test), K, best_weights);
  probe.test_nats = answers.nats;
  probe.answers = std::move(answers.labels);
  return probe;
}

}  // namespace unroll
