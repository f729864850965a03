#include "write/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "base/philox.h"
#include "unroll/error.h"

namespace unroll {
namespace {

double random_number(std::uint32_t i) {
  const auto words = random_words(11, 0, RandomPurpose::kTestPoint, 0, i, 0);
  return uniform_double(words[0], words[1]);
}

// `steps` > 0 makes ties: logits are multiples of 1/steps.
std::vector<float> random_logits(std::size_t size, std::uint32_t seed, int steps) {
  std::vector<float> logits(size);
  for (std::uint32_t i = 0; i < size; ++i) {
    const double value = 6 * uniform_float(random_words(seed, 0, RandomPurpose::kTestPoint, 1, i, 0)[0]) - 3;
    logits[i] = static_cast<float>(steps > 0 ? std::round(value * steps) / steps : value);
  }
  return logits;
}

std::set<std::int32_t> drawn(const SamplerOptions& options, std::span<const float> logits, std::int32_t excluded = -1) {
  Sampler sampler(std::ssize(logits), excluded);
  std::set<std::int32_t> ids;
  for (int i = 0; i < 2000; ++i) ids.insert(sampler.sample(options, logits, (i + 0.5) / 2000));
  return ids;
}

// The definition, by sorting everything.
std::int32_t sample_by_sorting(const SamplerOptions& options, std::span<const float> logits, std::int32_t excluded,
                               double uniform) {
  std::vector<std::int32_t> order;
  for (std::int32_t id = 0; id < std::ssize(logits); ++id) {
    if (id != excluded) order.push_back(id);
  }
  const auto logit = [&](std::int32_t id) { return static_cast<double>(logits[static_cast<std::size_t>(id)]); };
  std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return logit(a) > logit(b); });
  const double largest = logit(order.front());
  const auto weight = [&](std::int32_t id) { return std::exp((logit(id) - largest) / options.temperature); };
  const auto sum = [&] {
    return std::accumulate(order.begin(), order.end(), 0.0, [&](double s, std::int32_t id) { return s + weight(id); });
  };
  if (options.top_k > 0) order.resize(std::min(order.size(), static_cast<std::size_t>(options.top_k)));
  const double wanted = options.top_p * sum();
  std::size_t kept = 0;
  for (double reached = 0; kept < order.size() && (kept == 0 || reached < wanted); ++kept)
    reached += weight(order[kept]);
  order.resize(kept);
  std::erase_if(order, [&](std::int32_t id) { return weight(id) < options.min_p; });
  std::sort(order.begin(), order.end());
  const double goal = uniform * sum();
  double reached = 0;
  for (const std::int32_t id : order) {
    reached += weight(id);
    if (reached > goal) return id;
  }
  return order.back();
}

double chi_square(const SamplerOptions& options, std::span<const float> logits) {
  constexpr int kDraws = 20000;
  Sampler sampler(std::ssize(logits), -1);
  std::vector<double> count(logits.size());
  for (std::uint32_t i = 0; i < kDraws; ++i)
    ++count[static_cast<std::size_t>(sampler.sample(options, logits, random_number(i)))];
  double all = 0;
  for (const float logit : logits) all += std::exp(logit / options.temperature);
  double result = 0;
  for (std::size_t id = 0; id < logits.size(); ++id) {
    const double expected = kDraws * std::exp(logits[id] / options.temperature) / all;
    result += (count[id] - expected) * (count[id] - expected) / expected;
  }
  return result;
}

TEST(Sampler, DrawsInProportionToTheSoftmax) {
  const std::vector<float> logits = {0.3F, -1.2F, 1.1F, 0.0F, -0.4F, 0.8F};
  // 5 degrees of freedom: above 25.7 with probability 0.0001.
  EXPECT_LT(chi_square({}, logits), 25.7);
  EXPECT_LT(chi_square({.temperature = 0.5}, logits), 25.7);
  EXPECT_LT(chi_square({.temperature = 3}, logits), 25.7);
}

TEST(Sampler, MatchesTheDefinitionBySortingForAnyFilters) {
  for (std::uint32_t trial = 0; trial < 60; ++trial) {
    const std::vector<float> logits = random_logits(1 + trial * 3 + 2, trial, trial % 2 == 0 ? 4 : 0);
    const SamplerOptions options = {.temperature = 0.4 + random_number(trial),
                                    .top_k = trial % 3 == 0 ? 0 : static_cast<std::int64_t>(trial % 17 + 1),
                                    .top_p = trial % 4 == 0 ? 1 : random_number(trial + 100),
                                    .min_p = trial % 5 == 0 ? 0 : 0.3 * random_number(trial + 200)};
    const std::int32_t excluded = trial % 7 == 0 ? -1 : static_cast<std::int32_t>(trial % 3);
    Sampler sampler(std::ssize(logits), excluded);
    for (std::uint32_t i = 0; i < 50; ++i) {
      const double uniform = random_number(1000 * trial + i);
      ASSERT_EQ(sampler.sample(options, logits, uniform), sample_by_sorting(options, logits, excluded, uniform))
          << "trial " << trial << ", draw " << i;
    }
  }
}

TEST(Sampler, TopKOneAndTemperatureZeroTakeTheMostProbableSymbol) {
  for (std::uint32_t trial = 0; trial < 20; ++trial) {
    const std::vector<float> logits = random_logits(40, trial, 0);
    const auto largest = static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    EXPECT_EQ(drawn({.top_k = 1}, logits), std::set{largest});
    EXPECT_EQ(drawn({.temperature = 0}, logits), std::set{largest});
  }
}

TEST(Sampler, TiesGoToTheSmallerId) {
  const std::vector<float> logits = {1, 2, 2, 0, 2};
  EXPECT_EQ(drawn({.temperature = 0}, logits), (std::set{1}));
  EXPECT_EQ(drawn({.top_k = 2}, logits), (std::set{1, 2}));
  EXPECT_EQ(drawn({.top_p = 0.5}, logits), (std::set{1, 2}));
}

TEST(Sampler, TopPKeepsTheFewestSymbolsThatReachIt) {
  const std::vector<float> logits = {std::log(0.1F), std::log(0.4F), std::log(0.2F), std::log(0.3F)};
  EXPECT_EQ(drawn({.top_p = 0}, logits), (std::set{1}));
  EXPECT_EQ(drawn({.top_p = 0.39}, logits), (std::set{1}));
  EXPECT_EQ(drawn({.top_p = 0.41}, logits), (std::set{1, 3}));
  EXPECT_EQ(drawn({.top_p = 0.71}, logits), (std::set{1, 2, 3}));
  EXPECT_EQ(drawn({.top_p = 0.91}, logits), (std::set{0, 1, 2, 3}));
  EXPECT_EQ(drawn({.top_p = 1}, logits), (std::set{0, 1, 2, 3}));
}

TEST(Sampler, MinPKeepsAShareOfTheMostProbableSymbol) {
  const std::vector<float> logits = {std::log(0.1F), std::log(0.4F), std::log(0.2F), std::log(0.3F)};
  EXPECT_EQ(drawn({.min_p = 0.26}, logits), (std::set{1, 2, 3}));
  EXPECT_EQ(drawn({.min_p = 0.6}, logits), (std::set{1, 3}));
  EXPECT_EQ(drawn({.min_p = 1}, logits), (std::set{1}));
  EXPECT_EQ(drawn({.min_p = 1}, std::vector<float>{2, 1, 2}), (std::set{0, 2}));
}

TEST(Sampler, FiltersWorkInTheOrderTopKTopPMinP) {
  const std::vector<float> logits = {std::log(0.4F), std::log(0.3F), std::log(0.2F), std::log(0.1F)};
  // Of the two that top-k leaves, the first has 4/7 of the probability.
  EXPECT_EQ(drawn({.top_p = 0.5}, logits), (std::set{0, 1}));
  EXPECT_EQ(drawn({.top_k = 2, .top_p = 0.5}, logits), (std::set{0}));
  // Temperature comes first: it changes shares.
  EXPECT_EQ(drawn({.temperature = 0.25, .min_p = 0.3}, logits), (std::set{0, 1}));
  EXPECT_EQ(drawn({.temperature = 1, .min_p = 0.3}, logits), (std::set{0, 1, 2}));
}

TEST(Sampler, TellsTheSharesOfADraw) {
  const std::vector<float> logits = {std::log(0.1F), std::log(0.4F), std::log(0.2F), std::log(0.3F)};
  Sampler sampler(4, -1);
  EXPECT_EQ(sampler.sample({.top_k = 3}, logits, 0.7), 3);
  std::vector<SymbolShare> shares = sampler.last_shares();
  ASSERT_EQ(shares.size(), 3U);
  const std::vector<double> ends = {4.0 / 9, 6.0 / 9, 1};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(shares[i].id, static_cast<std::int32_t>(i + 1));
    EXPECT_NEAR(shares[i].from, i == 0 ? 0 : ends[i - 1], 1e-7);
    EXPECT_NEAR(shares[i].to, ends[i], 1e-7);
  }
  EXPECT_EQ(shares[2].from, sampler.last_draw().from);
  EXPECT_EQ(shares[2].to, sampler.last_draw().to);
  EXPECT_EQ(sampler.sample({.temperature = 0}, logits, 0.7), 1);
  shares = sampler.last_shares();
  ASSERT_EQ(shares.size(), 1U);
  EXPECT_EQ(shares[0].id, 1);
  EXPECT_EQ(shares[0].to, 1);
}

TEST(Sampler, NeverDrawsTheExcludedSymbol) {
  const std::vector<float> logits = {9, 1, 1};
  EXPECT_EQ(drawn({}, logits, 0), (std::set{1, 2}));
  EXPECT_EQ(drawn({.temperature = 0}, logits, 0), (std::set{1}));
  EXPECT_EQ(drawn({.top_k = 1}, logits, 0), (std::set{1}));
  EXPECT_EQ(drawn({.top_p = 0.3}, logits, 0), (std::set{1}));
  EXPECT_EQ(drawn({.min_p = 0.9}, logits, 0), (std::set{1, 2}));
}

TEST(Sampler, TinyTemperaturesAndHugeLogitsStayFinite) {
  const std::vector<float> logits = {-3e38F, 3e38F, 1, 3e38F};
  EXPECT_EQ(drawn({.temperature = 1e-300}, logits), (std::set{1, 3}));
  EXPECT_EQ(drawn({.temperature = 1e-300, .top_p = 0.5}, logits), (std::set{1}));
}

TEST(Sampler, RefusesLogitsThatAreNotFinite) {
  Sampler sampler(3, -1);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    try {
      (void)sampler.sample({}, std::vector<float>{0, bad, 1}, 0.5);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNumeric);
    }
  }
}

TEST(Sampler, RefusesOptionsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const SamplerOptions& options :
       {SamplerOptions{.temperature = -1}, SamplerOptions{.temperature = nan}, SamplerOptions{.temperature = infinity},
        SamplerOptions{.top_k = -1}, SamplerOptions{.top_p = -0.1}, SamplerOptions{.top_p = 1.1},
        SamplerOptions{.top_p = nan}, SamplerOptions{.min_p = -0.1}, SamplerOptions{.min_p = 2},
        SamplerOptions{.min_p = nan}}) {
    try {
      check(options);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
    }
  }
  EXPECT_NO_THROW(check(SamplerOptions{.temperature = 0, .top_k = 0, .top_p = 0, .min_p = 1}));
}

}  // namespace
}  // namespace unroll
