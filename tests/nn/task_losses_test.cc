#include "nn/task_losses.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/ref/task_losses.h"
#include "support/recurrent_point.h"

namespace unroll {
namespace {

constexpr std::int64_t kOutputCounts[] = {1, 2, 7, 16, 17, 65};
constexpr std::int64_t kLossRows = 37;

// Outputs, and what is wanted of them in each of the three ways.
struct LossPoint {
  explicit LossPoint(std::int64_t outputs, float scale = 3)
      : K(outputs),
        y(random_numbers(1, 0, kLossRows * outputs, scale)),
        numbers(random_numbers(1, 1, kLossRows * outputs, 1)),
        weights(random_numbers(1, 2, kLossRows, 1)) {
    for (const float number : numbers) wanted.push_back(number > 0.3F ? 1 : 0);
    for (std::int64_t r = 0; r < kLossRows; ++r) labels.push_back(static_cast<std::int32_t>((5 * r + 3) % K));
  }

  [[nodiscard]] MatView<const float> outputs() const { return {y.data(), kLossRows, K}; }
  [[nodiscard]] MatView<const float> wanted_numbers() const { return {numbers.data(), kLossRows, K}; }
  [[nodiscard]] MatView<const std::uint8_t> wanted_labels() const { return {wanted.data(), kLossRows, K}; }
  [[nodiscard]] std::span<const float> row(std::int64_t r) const { return {outputs().row(r), size()}; }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(K); }

  std::int64_t K;
  std::vector<float> y;
  std::vector<float> numbers;
  std::vector<std::uint8_t> wanted;
  std::vector<std::int32_t> labels;
  std::vector<float> weights;
};

enum class Kind { kSoftmax, kSmoothed, kSigmoid, kSquared };
constexpr Kind kKinds[] = {Kind::kSoftmax, Kind::kSmoothed, Kind::kSigmoid, Kind::kSquared};
constexpr double smoothing_of(Kind kind) { return kind == Kind::kSmoothed ? 0.1 : 0; }

struct Losses {
  std::vector<double> losses;
  std::vector<float> gradient;
};

Losses with_gradients(const LossPoint& point, Kind kind, int threads = 1) {
  Workers workers(threads);
  Losses result{.losses = std::vector<double>(kLossRows, kUnset), .gradient = point.y};
  const MatView<float> y(result.gradient.data(), kLossRows, point.K);
  if (kind == Kind::kSigmoid) {
    sigmoid_losses_and_gradients(workers, y, point.wanted_labels(), point.weights, result.losses);
  } else if (kind == Kind::kSquared) {
    squared_losses_and_gradients(workers, y, point.wanted_numbers(), point.weights, result.losses);
  } else {
    softmax_losses_and_gradients(workers, y, point.labels, point.weights, smoothing_of(kind), result.losses);
  }
  return result;
}

std::vector<double> without_gradients(const LossPoint& point, Kind kind) {
  Workers workers(1);
  std::vector<double> losses(kLossRows, kUnset);
  if (kind == Kind::kSigmoid) {
    sigmoid_losses(workers, point.outputs(), point.wanted_labels(), losses);
  } else if (kind == Kind::kSquared) {
    squared_losses(workers, point.outputs(), point.wanted_numbers(), losses);
  } else {
    softmax_losses(workers, point.outputs(), point.labels, losses);
  }
  return losses;
}

template <class S>
S reference_loss(const LossPoint& point, Kind kind, std::int64_t r, std::span<const S> y) {
  if (kind == Kind::kSigmoid) {
    return ref::sigmoid_row_loss(y, std::span<const std::uint8_t>(point.wanted_labels().row(r), point.size()));
  }
  if (kind == Kind::kSquared) {
    return ref::squared_row_loss(y, std::span<const float>(point.wanted_numbers().row(r), point.size()));
  }
  const auto label = static_cast<std::size_t>(point.labels[static_cast<std::size_t>(r)]);
  return ref::softmax_row_loss(y, ref::smoothed_label(point.size(), label, smoothing_of(kind)));
}

std::vector<double> reference_gradient(const LossPoint& point, Kind kind, std::int64_t r) {
  const std::vector<double> values(point.row(r).begin(), point.row(r).end());
  const std::span<const double> y(values);
  if (kind == Kind::kSigmoid) {
    return ref::sigmoid_row_backward(y, std::span<const std::uint8_t>(point.wanted_labels().row(r), point.size()));
  }
  if (kind == Kind::kSquared) {
    return ref::squared_row_backward(y, std::span<const float>(point.wanted_numbers().row(r), point.size()));
  }
  const auto label = static_cast<std::size_t>(point.labels[static_cast<std::size_t>(r)]);
  return ref::softmax_row_backward(y, ref::smoothed_label(point.size(), label, smoothing_of(kind)));
}

std::vector<double> complex_step(const LossPoint& point, Kind kind, std::int64_t r) {
  std::vector<Complex> y(point.row(r).begin(), point.row(r).end());
  return ref::complex_step_gradient(
      std::span(y), [&] { return reference_loss<Complex>(point, kind, r, std::span<const Complex>(y)); });
}

TEST(TaskLosses, ReferenceGradientsMatchComplexStep) {
  for (const Kind kind : kKinds) {
    for (const std::int64_t K : {2, 5}) {
      const LossPoint point(K);
      for (std::int64_t r = 0; r < kLossRows; ++r) {
        EXPECT_LE(ref::relative_error(std::span<const double>(reference_gradient(point, kind, r)),
                                      std::span<const double>(complex_step(point, kind, r))),
                  1e-12)
            << static_cast<int>(kind) << ", row " << r;
      }
    }
  }
}

TEST(TaskLosses, LossesAndWeightedGradientsMatchTheReference) {
  for (const Kind kind : kKinds) {
    for (const std::int64_t K : kOutputCounts) {
      SCOPED_TRACE("kind " + std::to_string(static_cast<int>(kind)) + ", " + std::to_string(K) + " outputs");
      const LossPoint point(K);
      const Losses results = with_gradients(point, kind);
      for (std::int64_t r = 0; r < kLossRows; ++r) {
        const auto i = static_cast<std::size_t>(r);
        const std::vector<double> y(point.row(r).begin(), point.row(r).end());
        const double expected = reference_loss<double>(point, kind, r, std::span<const double>(y));
        EXPECT_NEAR(results.losses[i], expected, 1e-6 * (1 + std::fabs(expected)));
        const std::vector<double> gradient = reference_gradient(point, kind, r);
        for (std::size_t k = 0; k < gradient.size(); ++k) {
          EXPECT_NEAR(results.gradient[i * gradient.size() + k], static_cast<double>(point.weights[i]) * gradient[k],
                      1e-6);
        }
      }
    }
  }
}

TEST(TaskLosses, LossesWithoutGradientsAreTheSameBits) {
  const LossPoint point(17);
  for (const Kind kind : {Kind::kSoftmax, Kind::kSigmoid, Kind::kSquared}) {
    EXPECT_EQ(without_gradients(point, kind), with_gradients(point, kind).losses);
  }
}

TEST(TaskLosses, ResultsDoNotDependOnTheNumberOfWorkers) {
  const LossPoint point(17);
  for (const Kind kind : kKinds) {
    const Losses one = with_gradients(point, kind, 1);
    const Losses three = with_gradients(point, kind, 3);
    EXPECT_EQ(one.losses, three.losses);
    EXPECT_EQ(one.gradient, three.gradient);
  }
}

TEST(TaskLosses, RowsThatDoNotCountHaveNeitherLossNorGradient) {
  LossPoint point(7);
  std::fill_n(point.y.begin() + 2 * 7, 7, kUnset);
  std::fill_n(point.numbers.begin() + 2 * 7, 7, kUnset);
  point.weights[2] = 0;
  for (const Kind kind : kKinds) {
    const Losses results = with_gradients(point, kind);
    EXPECT_EQ(results.losses[2], 0);
    for (std::size_t k = 0; k < 7; ++k) EXPECT_EQ(results.gradient[2 * 7 + k], 0);
    EXPECT_NE(results.losses[3], 0);
  }
  point.weights[2] = 1;
  point.labels[2] = -1;
  EXPECT_EQ(with_gradients(point, Kind::kSoftmax).losses[2], 0);
  EXPECT_EQ(without_gradients(point, Kind::kSoftmax)[2], 0);
}

TEST(TaskLosses, LargeOutputsDoNotOverflow) {
  const LossPoint point(7, 1e6F);
  for (const Kind kind : kKinds) {
    const Losses results = with_gradients(point, kind);
    for (const double loss : results.losses) EXPECT_TRUE(std::isfinite(loss));
    for (const float d : results.gradient) EXPECT_TRUE(std::isfinite(d));
  }
}

TEST(TaskLosses, NotANumberIsNotHidden) {
  LossPoint point(7);
  point.y[3 * 7 + 2] = kUnset;
  for (const Kind kind : kKinds) {
    const Losses results = with_gradients(point, kind);
    EXPECT_TRUE(std::isnan(results.losses[3]));
    EXPECT_TRUE(std::isnan(results.gradient[3 * 7 + 2]));
    EXPECT_FALSE(std::isnan(results.losses[4]));
  }
}

}  // namespace
}  // namespace unroll
