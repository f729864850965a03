#include "infer/neural_cache.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "error_of.h"
#include "infer/adaptive_stream.h"
#include "random_matrix.h"
#include "tiny_model.h"
#include "unroll/evaluate.h"
#include "unroll/scorer.h"

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

std::vector<SymbolPrediction> predictions_of(const Model& model, const Adaptation& adaptation, StatePolicy state,
                                             std::span<const std::int32_t> ids, std::size_t cut, int threads) {
  Workers workers(threads);
  AdaptiveStream stream(model, adaptation, state, workers);
  std::vector<SymbolPrediction> result;
  for (std::size_t first = 0; first < ids.size(); first += cut) {
    stream.predict(ids.subspan(first, std::min(cut, ids.size() - first)), Detail::kRankAndEntropy, result);
  }
  return result;
}

void expect_same_bits(const std::vector<SymbolPrediction>& a, const std::vector<SymbolPrediction>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].log_prob, b[i].log_prob) << i;
    ASSERT_EQ(a[i].entropy, b[i].entropy) << i;
    ASSERT_EQ(a[i].rank, b[i].rank) << i;
  }
}

TEST(AdaptiveStream, BitsDependNeitherOnCutsNorOnThreads) {
  const Tokenizer tokenizer = tiny_characters();
  const std::vector<std::int32_t> ids = tokenizer.encode(random_text(700, 7), "text").ids;
  const Adaptation adaptation{.temperature = 1.3, .cache = CacheOptions{.size = 90, .theta = 0.7, .weight = 0.2}};
  for (const Cell cell : kAllCells) {
    const Model model = tiny_model(cell, tokenizer);
    for (const StatePolicy policy : {StatePolicy::kCarry, StatePolicy::kReset}) {
      const auto expected = predictions_of(model, adaptation, policy, ids, ids.size(), 1);
      expect_same_bits(predictions_of(model, adaptation, policy, ids, 1, 1), expected);
      expect_same_bits(predictions_of(model, adaptation, policy, ids, 37, 2), expected);
      expect_same_bits(predictions_of(model, adaptation, policy, ids, 64, 3), expected);
    }
  }
}

TEST(AdaptiveStream, APredictionDoesNotDependOnWhatFollows) {
  const Tokenizer tokenizer = tiny_characters();
  const Model model = tiny_model(Cell::kLstm, tokenizer);
  const Adaptation adaptation{.cache = CacheOptions{.size = 90, .theta = 0.7, .weight = 0.2}};
  std::vector<std::int32_t> ids = tokenizer.encode(random_text(200, 7), "text").ids;
  auto expected = predictions_of(model, adaptation, StatePolicy::kCarry, ids, ids.size(), 1);
  for (std::size_t i = 101; i < ids.size(); ++i) ids[i] = 3 + ids[i] % 5;
  auto found = predictions_of(model, adaptation, StatePolicy::kCarry, ids, ids.size(), 1);
  EXPECT_NE(expected.back().log_prob, found.back().log_prob);
  expected.resize(101);
  found.resize(101);
  expect_same_bits(found, expected);
}

TEST(AdaptiveStream, RankAndEntropyAreThoseOfTheMixture) {
  const Tokenizer tokenizer = tiny_characters();
  const Model model = tiny_model(Cell::kGru, tokenizer);
  const std::vector<std::int32_t> ids = tokenizer.encode(random_text(130, 9), "text").ids;
  const Adaptation adaptation{.cache = CacheOptions{.size = 50, .theta = 0.7, .weight = 0.6}};
  const auto found = predictions_of(model, adaptation, StatePolicy::kCarry, ids, ids.size(), 1);
  // The whole distribution at a place: each symbol put there in turn.
  for (const std::size_t place : {std::size_t{1}, std::size_t{30}, std::size_t{129}}) {
    std::vector<double> distribution;
    std::vector<std::int32_t> other(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(place) + 1);
    for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
      other.back() = id;
      distribution.push_back(predictions_of(model, adaptation, StatePolicy::kCarry, other, 64, 1).back().log_prob);
    }
    double sum = 0;
    double entropy = 0;
    std::int64_t rank = 1;
    for (const double log_prob : distribution) {
      sum += std::exp(log_prob);
      entropy -= std::exp(log_prob) * log_prob;
      rank += log_prob > found[place].log_prob ? 1 : 0;
    }
    EXPECT_NEAR(sum, 1, 1e-7);
    EXPECT_NEAR(found[place].entropy, entropy, 1e-6);
    EXPECT_EQ(found[place].rank, rank);
  }
}

TEST(AdaptiveStream, TemperatureDividesLogits) {
  const Tokenizer tokenizer = tiny_characters();
  const Model model = tiny_model(Cell::kLstm, tokenizer);
  const std::string line = "abba cab";
  Scorer plain(model);
  Scorer warm(model, {.adaptation = {.temperature = 2.5}});
  State state = plain.initial_state();
  const Score score = warm.score(line);
  for (const TokenScore& token : score.tokens) {
    double sum = 0;
    const std::vector<double> log_probs = plain.next_log_probs(state);
    for (const double log_prob : log_probs) sum += std::exp(log_prob / 2.5);
    const double expected = log_probs[static_cast<std::size_t>(token.id)] / 2.5 - std::log(sum);
    EXPECT_NEAR(token.log_prob, expected, 1e-6);
    EXPECT_EQ(warm.next_log_probs(state)[static_cast<std::size_t>(token.id)], token.log_prob);
    State copy = state;
    EXPECT_EQ(warm.step(copy, token.id), token.log_prob);
    (void)plain.step(state, token.id);
  }
  EXPECT_EQ(plain.score(line).log_prob, Scorer(model, {.adaptation = {.temperature = 1}}).score(line).log_prob);
}

TEST(Adaptation, WithoutEffectGivesTheBitsOfPlainScoresAndEvaluations) {
  const std::string text = random_text(900, 3);
  const Adaptation nothing{.temperature = 1, .cache = CacheOptions{.size = 100, .theta = 1, .weight = 0}};
  EXPECT_EQ(describe(nothing), "");
  for (const Cell cell : kAllCells) {
    const Model model = tiny_model(cell, tiny_characters());
    for (const StatePolicy policy : {StatePolicy::kCarry, StatePolicy::kReset}) {
      const Evaluation plain = evaluate(model, text, "text", {.state = policy, .exact = true});
      const Evaluation adapted = evaluate(model, text, "text", {.state = policy, .adaptation = nothing});
      EXPECT_EQ(plain.nats_per_token, adapted.nats_per_token);
      EXPECT_TRUE(adapted.exact);
      Scorer one(model, {.state = policy});
      Scorer other(model, {.state = policy, .adaptation = nothing});
      for (const std::string& line : random_lines(30, 40, 2)) {
        const Score a = one.score(line);
        const Score b = other.score(line);
        ASSERT_EQ(a.tokens.size(), b.tokens.size());
        for (std::size_t i = 0; i < a.tokens.size(); ++i) {
          EXPECT_EQ(a.tokens[i].log_prob, b.tokens[i].log_prob);
          EXPECT_EQ(a.tokens[i].entropy, b.tokens[i].entropy);
          EXPECT_EQ(a.tokens[i].rank, b.tokens[i].rank);
        }
      }
    }
  }
}

TEST(Adaptation, ScoresAddUpToTheEvaluation) {
  std::string text;
  std::vector<std::string> lines = random_lines(30, 40, 5);
  for (const std::string& line : lines) text += line + "\n";
  const Adaptation adaptation{.temperature = 1.1, .cache = CacheOptions{.size = 200, .theta = 0.4, .weight = 0.3}};
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  for (const StatePolicy policy : {StatePolicy::kCarry, StatePolicy::kReset}) {
    const Evaluation whole = evaluate(model, text, "text", {.state = policy, .adaptation = adaptation});
    Scorer one_by_one(model, {.state = policy, .adaptation = adaptation});
    Scorer together(model, {.state = policy, .tokens = false, .adaptation = adaptation});
    const std::vector<Score> scores = together.score(lines);
    double sum = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_EQ(one_by_one.score(lines[i]).log_prob, scores[i].log_prob);
      sum += scores[i].log_prob;
    }
    EXPECT_NEAR(-sum, whole.nats_per_token * static_cast<double>(whole.tokens), 1e-9);
  }
}

TEST(Adaptation, NumbersOutOfRangeAreRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const auto refused = [&](const Adaptation& adaptation) {
    EXPECT_THROW(Scorer(model, {.adaptation = adaptation}), Error);
    EXPECT_THROW((void)evaluate(model, "abc", "text", {.adaptation = adaptation}), Error);
  };
  for (const double temperature : {nan, infinity, 0.0, -1.0}) refused({.temperature = temperature});
  for (const double theta : {nan, infinity, -0.1, 1e7}) refused({.cache = CacheOptions{.theta = theta}});
  for (const double weight : {nan, -0.1, 1.0, 2.0}) refused({.cache = CacheOptions{.weight = weight}});
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{-1}, kLargestCacheSize + 1}) {
    refused({.cache = CacheOptions{.size = size}});
  }
}

}  // namespace
}  // namespace unroll
