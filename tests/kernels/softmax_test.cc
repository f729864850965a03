#include "kernels/softmax.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/random_matrix.h"

namespace unroll {
namespace {

constexpr std::int64_t kWidths[] = {1, 2, 3, 15, 16, 17, 33, 66, 1000, 10007};

std::vector<double> plain_log_softmax(const std::vector<float>& logits) {
  long double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<long double>(logit));
  std::vector<double> result;
  for (const float logit : logits)
    result.push_back(static_cast<double>(static_cast<long double>(logit) - std::log(sum)));
  return result;
}

std::vector<float> logits_of(std::int64_t size, float scale) {
  RandomMatrix random(1, size, static_cast<std::uint64_t>(size));
  for (float& value : random.values) value *= scale;
  return random.values;
}

TEST(Softmax, LogProbabilitiesAreThoseOfPlainLoops) {
  for (const std::int64_t size : kWidths) {
    const std::vector<float> logits = logits_of(size, 9);
    const std::vector<double> expected = plain_log_softmax(logits);
    std::vector<double> all(logits.size());
    log_softmax(logits, all);
    double sum = 0;
    for (std::size_t v = 0; v < logits.size(); ++v) {
      EXPECT_NEAR(all[v], expected[v], 2e-7 * (1 + std::fabs(expected[v])));
      EXPECT_EQ(all[v], log_softmax_at(logits, static_cast<std::int32_t>(v)));
      sum += std::exp(all[v]);
      if (v > 40) v += 97;
    }
    if (size <= 40) {
      EXPECT_NEAR(sum, 1, 1e-6);
    }
  }
}

TEST(Softmax, ManyTargetsOfARowGetTheBitsOfEach) {
  for (const std::int64_t size : kWidths) {
    const std::vector<float> logits = logits_of(size, 9);
    const auto last = static_cast<std::int32_t>(size - 1);
    const std::vector<std::int32_t> targets{last, 0, last / 2, last};
    std::vector<double> found(targets.size());
    log_softmax_at(logits, targets, found);
    for (std::size_t i = 0; i < targets.size(); ++i) EXPECT_EQ(found[i], log_softmax_at(logits, targets[i]));
  }
}

TEST(Softmax, GradientIsTheDistributionMinusTheTarget) {
  for (const std::int64_t size : kWidths) {
    std::vector<float> logits = logits_of(size, 5);
    const std::vector<double> expected = plain_log_softmax(logits);
    const auto target = static_cast<std::int32_t>(size / 3);
    const double at_target = log_softmax_at(logits, target);
    EXPECT_EQ(log_softmax_and_gradient_at(logits, target, 0.25F), at_target)
        << "loss bits must not depend on the gradient";
    double sum = 0;
    for (std::size_t v = 0; v < logits.size(); ++v) {
      const double one = static_cast<std::int32_t>(v) == target ? 1 : 0;
      EXPECT_NEAR(logits[v], 0.25 * (std::exp(expected[v]) - one), 1e-6);
      sum += static_cast<double>(logits[v]);
    }
    EXPECT_NEAR(sum, 0, 1e-6);
  }
}

TEST(Softmax, RankAndEntropyAreThoseOfPlainLoops) {
  for (const std::int64_t size : kWidths) {
    const std::vector<float> logits = logits_of(size, 4);
    const std::vector<double> log_probs = plain_log_softmax(logits);
    double entropy = 0;
    for (const double log_prob : log_probs) entropy -= std::exp(log_prob) * log_prob;
    for (std::size_t v = 0; v < logits.size(); v += 1 + logits.size() / 7) {
      std::int64_t rank = 1;
      for (const float logit : logits) rank += logit > logits[v] ? 1 : 0;
      const SymbolPrediction prediction = predict_symbol(logits, static_cast<std::int32_t>(v));
      EXPECT_EQ(prediction.rank, rank);
      EXPECT_NEAR(prediction.entropy, entropy, 1e-6 * (1 + entropy));
      EXPECT_EQ(prediction.log_prob, log_softmax_at(logits, static_cast<std::int32_t>(v)));
    }
  }
}

TEST(Softmax, HandlesLogitsThatAreFarApart) {
  const std::vector<float> logits{3e4F, -3e4F, 2.9e4F};
  EXPECT_EQ(log_softmax_at(logits, 0), 0.0);
  EXPECT_EQ(log_softmax_at(logits, 1), -6e4);
  EXPECT_NEAR(predict_symbol(logits, 0).entropy, 0, 1e-12);
}

TEST(Softmax, NanGivesNan) {
  for (const std::size_t size : {5U, 16U, 40U}) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      std::vector<float> logits(size, 0.5F);
      logits[size - 2] = bad;
      EXPECT_TRUE(std::isnan(log_softmax_at(logits, 0)));
      EXPECT_TRUE(std::isnan(predict_symbol(logits, 0).entropy));
      EXPECT_TRUE(std::isnan(log_softmax_and_gradient_at(logits, 0, 1.0F)));
    }
  }
}

}  // namespace
}  // namespace unroll
