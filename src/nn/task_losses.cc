#include "nn/task_losses.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "kernels/softmax.h"

namespace unroll {
namespace {

constexpr std::int64_t kLossRowsPerTask = 16;

// losses[r] = loss_of(r, its outputs) for the rows that count; the others get 0, and skipped(its outputs).
template <class T, class Counts, class LossOf, class Skipped>
void for_each_loss(Workers& workers, MatView<T> outputs, std::span<double> losses, const Counts& counts,
                   const LossOf& loss_of, const Skipped& skipped) {
  assert(std::ssize(losses) == outputs.rows);
  workers.run_ranges(outputs.rows, kLossRowsPerTask, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const auto r = static_cast<std::size_t>(row);
      const std::span<T> y(outputs.row(row), static_cast<std::size_t>(outputs.cols));
      losses[r] = 0;
      if (counts(r)) {
        losses[r] = loss_of(r, y);
      } else {
        skipped(y);
      }
    }
  });
}

constexpr auto kEveryRow = [](std::size_t) { return true; };
constexpr auto kNothing = [](std::span<const float>) {};
constexpr auto kZeroGradient = [](std::span<float> y) { std::ranges::fill(y, 0.0F); };

// The loss of one output whose label is wanted or not, and its slope.
struct SigmoidLoss {
  double loss = 0;
  double slope = 0;

  SigmoidLoss(float output, bool wanted) {
    const auto y = static_cast<double>(output);
    const double e = std::exp(-std::abs(y));
    const double smaller = e / (1 + e);  // the smaller one of sigmoid(y) and sigmoid(-y)
    loss = (wanted == (y > 0) ? 0 : std::abs(y)) + std::log1p(e);
    const double wrong = wanted == (y > 0) ? smaller : 1 - smaller;
    slope = wanted ? -wrong : wrong;
  }
};

double squared_distance(std::span<const float> y, const float* wanted) {
  double sum = 0;
  for (std::size_t k = 0; k < y.size(); ++k) {
    const double difference = static_cast<double>(y[k]) - static_cast<double>(wanted[k]);
    sum += difference * difference;
  }
  return sum;
}

// Given the gradient and the loss of the label alone, those of the smoothed label. The sum of the outputs was taken
// before they were replaced.
double smooth(std::span<float> gradient, std::size_t label, double loss, double output, double sum_of_outputs,
              double smoothing, double weight) {
  const auto K = static_cast<double>(gradient.size());
  const double log_sum_exp = loss + output;
  for (float& d : gradient) d -= static_cast<float>(weight * smoothing / K);
  gradient[label] += static_cast<float>(weight * smoothing);
  return (1 - smoothing) * loss + smoothing * (log_sum_exp - sum_of_outputs / K);
}

}  // namespace

void softmax_losses(Workers& workers, MatView<const float> outputs, std::span<const std::int32_t> labels,
                    std::span<double> losses) {
  for_each_loss(
      workers, outputs, losses, [&](std::size_t r) { return labels[r] >= 0; },
      [&](std::size_t r, std::span<const float> y) { return -log_softmax_at(y, labels[r]); }, kNothing);
}

void softmax_losses_and_gradients(Workers& workers, MatView<float> outputs, std::span<const std::int32_t> labels,
                                  std::span<const float> weights, double smoothing, std::span<double> losses) {
  const auto loss_of = [&](std::size_t r, std::span<float> y) {
    const auto label = static_cast<std::size_t>(labels[r]);
    if (smoothing == 0) return -log_softmax_and_gradient_at(y, labels[r], weights[r]);
    const auto output = static_cast<double>(y[label]);
    double sum = 0;
    for (const float value : y) sum += static_cast<double>(value);
    const double loss = -log_softmax_and_gradient_at(y, labels[r], weights[r]);
    return smooth(y, label, loss, output, sum, smoothing, static_cast<double>(weights[r]));
  };
  for_each_loss(
      workers, outputs, losses, [&](std::size_t r) { return labels[r] >= 0 && weights[r] != 0; }, loss_of,
      kZeroGradient);
}

void sigmoid_losses(Workers& workers, MatView<const float> outputs, MatView<const std::uint8_t> wanted,
                    std::span<double> losses) {
  const auto loss_of = [&](std::size_t r, std::span<const float> y) {
    const std::uint8_t* const is_wanted = wanted.row(static_cast<std::int64_t>(r));
    double loss = 0;
    for (std::size_t k = 0; k < y.size(); ++k) loss += SigmoidLoss(y[k], is_wanted[k] != 0).loss;
    return loss;
  };
  for_each_loss(workers, outputs, losses, kEveryRow, loss_of, kNothing);
}

void sigmoid_losses_and_gradients(Workers& workers, MatView<float> outputs, MatView<const std::uint8_t> wanted,
                                  std::span<const float> weights, std::span<double> losses) {
  const auto loss_of = [&](std::size_t r, std::span<float> y) {
    const std::uint8_t* const is_wanted = wanted.row(static_cast<std::int64_t>(r));
    double loss = 0;
    for (std::size_t k = 0; k < y.size(); ++k) {
      const SigmoidLoss of_output(y[k], is_wanted[k] != 0);
      loss += of_output.loss;
      y[k] = static_cast<float>(static_cast<double>(weights[r]) * of_output.slope);
    }
    return loss;
  };
  for_each_loss(
      workers, outputs, losses, [&](std::size_t r) { return weights[r] != 0; }, loss_of, kZeroGradient);
}

void squared_losses(Workers& workers, MatView<const float> outputs, MatView<const float> wanted,
                    std::span<double> losses) {
  const auto loss_of = [&](std::size_t r, std::span<const float> y) {
    return squared_distance(y, wanted.row(static_cast<std::int64_t>(r))) / 2;
  };
  for_each_loss(workers, outputs, losses, kEveryRow, loss_of, kNothing);
}

void squared_losses_and_gradients(Workers& workers, MatView<float> outputs, MatView<const float> wanted,
                                  std::span<const float> weights, std::span<double> losses) {
  const auto loss_of = [&](std::size_t r, std::span<float> y) {
    const float* const z = wanted.row(static_cast<std::int64_t>(r));
    const double loss = squared_distance(y, z) / 2;
    for (std::size_t k = 0; k < y.size(); ++k) y[k] = weights[r] * (y[k] - z[k]);
    return loss;
  };
  for_each_loss(
      workers, outputs, losses, [&](std::size_t r) { return weights[r] != 0; }, loss_of, kZeroGradient);
}

}  // namespace unroll
