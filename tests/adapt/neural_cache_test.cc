#include "adapt/neural_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/softmax.h"
#include "support/random_matrix.h"

namespace unroll {
namespace {

constexpr std::int64_t kH = 7;
constexpr std::int32_t kV = 9;
constexpr std::size_t kSteps = 150;

// States and what followed them.
struct Text {
  RandomMatrix h{static_cast<std::int64_t>(kSteps), kH, 21};
  std::vector<std::int32_t> next;

  Text() {
    for (std::uint32_t i = 0; i < kSteps; ++i) {
      const std::uint32_t word = random_words(7, 0, RandomPurpose::kTestPoint, 0, i, 0)[0];
      next.push_back(static_cast<std::int32_t>(word % static_cast<std::uint32_t>(kV - 1)));  // one symbol never comes
    }
  }
};

// ln p(w) of the mixture at step t by the definition, in plain loops.
std::vector<double> defined(const CacheOptions& options, const Text& text, std::int64_t t,
                            const std::vector<double>& network) {
  std::vector<double> cache(static_cast<std::size_t>(kV));
  double total = 0;
  for (std::int64_t i = std::max<std::int64_t>(0, t - options.size); i < t; ++i) {
    double product = 0;
    for (std::int64_t j = 0; j < kH; ++j) {
      product += static_cast<double>(text.h.view(t, j)) * static_cast<double>(text.h.view(i, j));
    }
    const double e = std::exp(options.theta * product);
    cache[static_cast<std::size_t>(text.next[static_cast<std::size_t>(i)])] += e;
    total += e;
  }
  std::vector<double> mixture;
  for (std::size_t v = 0; v < network.size(); ++v) {
    mixture.push_back(
        std::log((1 - options.weight) * std::exp(network[v]) + options.weight * (total > 0 ? cache[v] / total : 0)));
  }
  return mixture;
}

std::vector<double> uneven_log_probs(std::int64_t t) {
  std::vector<float> logits;
  for (int v = 0; v < kV; ++v) logits.push_back(static_cast<float>(std::sin(v * 3.7 + static_cast<double>(t))));
  std::vector<double> result(logits.size());
  log_softmax(logits, result);
  return result;
}

TEST(NeuralCache, IsTheMixtureOfItsDefinition) {
  const Text text;
  Workers workers(2);
  for (const CacheOptions options :
       {CacheOptions{.size = 40, .theta = 0.8, .weight = 0.3}, CacheOptions{.size = 1, .theta = 2, .weight = 0.01},
        CacheOptions{.size = 1000, .theta = 0, .weight = 0.9}}) {
    NeuralCache cache(options);
    std::int64_t first = 0;
    for (const std::int64_t T : {1, 2, 13, 64, 1, 69}) {
      cache.attend(workers, text.h.view.row_range(first, T),
                   std::span(text.next).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(T)));
      for (std::int64_t t = 0; t < T; ++t) {
        const std::vector<double> network = uneven_log_probs(t);
        ASSERT_EQ(cache.takes_part(t), first + t > 0);
        if (!cache.takes_part(t)) continue;
        std::vector<double> mixture = network;
        cache.mix(t, mixture);
        const std::vector<double> expected = defined(options, text, first + t, network);
        double sum = 0;
        for (std::size_t v = 0; v < mixture.size(); ++v) {
          EXPECT_NEAR(mixture[v], expected[v], 1e-5);
          sum += std::exp(mixture[v]);
        }
        EXPECT_NEAR(sum, 1, 1e-7);
        const auto target = static_cast<std::size_t>(text.next[static_cast<std::size_t>(first + t)]);
        EXPECT_EQ(cache.mixed(t, network[target]), mixture[target]);
      }
      first += T;
    }
    EXPECT_EQ(first, static_cast<std::int64_t>(kSteps));
  }
}

TEST(NeuralCache, LargeExponentsNeitherOverflowNorVanish) {
  const Text text;
  Workers workers(1);
  NeuralCache cache({.size = 100, .theta = kLargestCacheTheta, .weight = 0.5});
  cache.attend(workers, text.h.view, text.next);
  for (std::int64_t t = 1; t < static_cast<std::int64_t>(kSteps); ++t) {
    std::vector<double> mixture = uneven_log_probs(t);
    cache.mix(t, mixture);
    double sum = 0;
    for (const double log_prob : mixture) sum += std::exp(log_prob);
    EXPECT_NEAR(sum, 1, 1e-7);
    EXPECT_NEAR(*std::max_element(mixture.begin(), mixture.end()), std::log(0.5), 0.6);
  }
}

TEST(NeuralCache, WithoutWeightItHasNoPart) {
  const Text text;
  Workers workers(1);
  NeuralCache cache({.size = 100, .theta = 1, .weight = 0});
  cache.attend(workers, text.h.view, text.next);
  EXPECT_FALSE(cache.takes_part(100));
}

}  // namespace
}  // namespace unroll
