#include "probe/softmax_regression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "base/philox.h"
#include "probe/fitted_probe.h"
#include "probe/lbfgs.h"

namespace unroll {
namespace {

double random_number(std::uint32_t place) {
  return 2 * uniform_double(random_words(5, 0, RandomPurpose::kTestPoint, 9, place, 0)[0], 0) - 1;
}

// N rows of D numbers with labels below K that a linear model finds often but not always.
struct Labelled {
  Labelled(std::int64_t N, std::int64_t D, std::int64_t K)
      : x(static_cast<std::size_t>(N * D)), labels(static_cast<std::size_t>(N)), rows(x.data(), N, D) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(random_number(static_cast<std::uint32_t>(i)));
    for (std::int64_t r = 0; r < N; ++r) {
      const double score = static_cast<double>(rows.row(r)[0]) + 0.7 * static_cast<double>(rows.row(r)[D - 1]) +
                           0.5 * random_number(static_cast<std::uint32_t>(1000000 + r));
      const auto place = static_cast<std::int64_t>((score + 2.2) / 4.4 * static_cast<double>(K));
      labels[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(place);
    }
  }
  std::vector<float> x;
  std::vector<std::int32_t> labels;
  MatView<float> rows;
};

// J in plain loops.
double expected_loss(const Labelled& data, std::int64_t K, double l2, const std::vector<double>& w) {
  const std::int64_t D = data.rows.cols;
  double loss = 0;
  for (std::int64_t r = 0; r < data.rows.rows; ++r) {
    std::vector<double> scores;
    double sum = 0;
    for (std::int64_t k = 0; k < K; ++k) {
      double score = w[static_cast<std::size_t>(K * D + k)];
      for (std::int64_t c = 0; c < D; ++c)
        score += w[static_cast<std::size_t>(k * D + c)] * static_cast<double>(data.rows.row(r)[c]);
      scores.push_back(score);
      sum += std::exp(score);
    }
    loss += std::log(sum) - scores[static_cast<std::size_t>(data.labels[static_cast<std::size_t>(r)])];
  }
  double squares = 0;
  for (std::int64_t i = 0; i < K * D; ++i) squares += w[static_cast<std::size_t>(i)] * w[static_cast<std::size_t>(i)];
  return loss / static_cast<double>(data.rows.rows) + l2 / 2 * squares;
}

TEST(SoftmaxRegression, LossAndGradientAreThoseOfPlainLoops) {
  constexpr std::int64_t kLabels = 3;
  Workers workers(1);
  for (const std::int64_t N : {1, 37, 2049}) {
    const Labelled data(N, 5, kLabels);
    SoftmaxRegression regression(workers, data.rows, data.labels, kLabels);
    std::vector<double> w(regression.weights());
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = random_number(static_cast<std::uint32_t>(77 + i));
    std::vector<double> gradient(w.size());
    EXPECT_NEAR(regression.loss_and_gradient(0.3, w, gradient), expected_loss(data, kLabels, 0.3, w), 1e-6);
    for (std::size_t i = 0; i < w.size(); ++i) {
      constexpr double kStep = 1e-5;
      std::vector<double> above = w;
      std::vector<double> below = w;
      above[i] += kStep;
      below[i] -= kStep;
      const double slope =
          (expected_loss(data, kLabels, 0.3, above) - expected_loss(data, kLabels, 0.3, below)) / (2 * kStep);
      EXPECT_NEAR(gradient[i], slope, 1e-6) << i;
    }
  }
}

TEST(SoftmaxRegression, BitsDoNotDependOnTheNumberOfThreads) {
  const Labelled data(5000, 7, 4);
  std::vector<double> first;
  for (const int threads : {1, 3}) {
    Workers workers(threads);
    SoftmaxRegression regression(workers, data.rows, data.labels, 4);
    std::vector<double> w(regression.weights(), 0.1);
    std::vector<double> gradient(w.size());
    gradient.push_back(0);
    gradient.back() = regression.loss_and_gradient(0.01, w, std::span(gradient).first(w.size()));
    gradient.push_back(answer_rows(workers, data.rows, data.labels, 4, std::span(gradient).first(w.size())).nats);
    if (first.empty()) first = gradient;
    EXPECT_EQ(gradient, first);
  }
}

TEST(Minimize, FindsTheMinimumOfAQuadraticFunctionAndStaysThere) {
  // 2 x + y = 6 and x + 200 y = -200 at the minimum.
  const auto quadratic = [](std::span<const double> x, std::span<double> g) {
    g[0] = 2 * (x[0] - 3) + x[1];
    g[1] = 200 * (x[1] + 1) + x[0];
    return (x[0] - 3) * (x[0] - 3) + 100 * (x[1] + 1) * (x[1] + 1) + x[0] * x[1];
  };
  std::vector<double> x{0, 0};
  const LbfgsResult result = minimize(quadratic, x, {.gradient = 1e-9});
  EXPECT_TRUE(result.converged);
  EXPECT_NEAR(x[1], (2 * -200.0 - 6) / 399, 1e-9);
  EXPECT_NEAR(x[0], (6 - x[1]) / 2, 1e-9);
  std::vector<double> still{x};
  EXPECT_EQ(minimize(quadratic, still, {.gradient = 1e-6}).iterations, 0);
}

TEST(Minimize, ComesToTheMinimumOfASoftmaxRegressionFromAnywhere) {
  Workers workers(1);
  const Labelled data(300, 6, 3);
  SoftmaxRegression regression(workers, data.rows, data.labels, 3);
  const auto f = [&](std::span<const double> w, std::span<double> gradient) {
    return regression.loss_and_gradient(0.01, w, gradient);
  };
  std::vector<double> from_zero(regression.weights());
  std::vector<double> from_afar(regression.weights());
  for (std::size_t i = 0; i < from_afar.size(); ++i) from_afar[i] = 5 * random_number(static_cast<std::uint32_t>(i));
  const LbfgsResult a = minimize(f, from_zero);
  const LbfgsResult b = minimize(f, from_afar);
  EXPECT_TRUE(a.converged);
  EXPECT_TRUE(b.converged);
  EXPECT_NEAR(a.value, b.value, 1e-6);
  EXPECT_LT(a.value, std::log(3.0));
  for (std::size_t i = 0; i < 18; ++i) EXPECT_NEAR(from_zero[i], from_afar[i], 5e-3);
  // No neighbour is better.
  for (std::size_t i = 0; i < from_zero.size(); ++i) {
    std::vector<double> beside = from_zero;
    beside[i] += 0.01;
    EXPECT_GT(expected_loss(data, 3, 0.01, beside), a.value - 1e-7);
  }
}

TEST(Standardize, MakesMeanZeroAndVarianceOneOfTheFirstRowsAndMovesTheOthersAlong) {
  std::vector<float> x{1, 7, 3, 7, 5, 7, 9, 8};  // two columns
  standardize(3, {x.data(), 4, 2});
  const auto deviation = static_cast<float>(std::sqrt(8.0 / 3));
  EXPECT_FLOAT_EQ(x[0], -2 / deviation);
  EXPECT_EQ(x[2], 0);
  EXPECT_FLOAT_EQ(x[4], 2 / deviation);
  EXPECT_FLOAT_EQ(x[6], 6 / deviation);
  for (const std::size_t i : {1U, 3U, 5U, 7U}) EXPECT_EQ(x[i], 0);
}

TEST(FitProbe, ChoosesAStrengthAndAnswersBetterThanTheMostFrequentLabel) {
  Workers workers(2);
  Labelled data(900, 4, 3);
  for (std::size_t i = 800; i < 810; ++i) data.labels[i] = -1;
  standardize(600, data.rows);
  const FittedProbe probe = fit_probe(workers, data.rows, data.labels, 3, {600, 200, 100});
  ASSERT_EQ(probe.answers.size(), 100U);
  int right = 0;
  for (std::size_t i = 0; i < 100; ++i) right += probe.answers[i] == data.labels[800 + i] ? 1 : 0;
  EXPECT_GT(right, 60);
  EXPECT_GT(probe.test_nats, 0);
  EXPECT_LT(probe.test_nats / 90, 1);
  EXPECT_LT(probe.l2, 1);
  EXPECT_TRUE(probe.converged);
}

}  // namespace
}  // namespace unroll
