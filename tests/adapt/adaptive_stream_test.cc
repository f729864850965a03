#include "adapt/adaptive_stream.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/workers.h"
#include "infer/inference.h"
#include "infer/sequence.h"
#include "kernels/softmax.h"
#include "support/all_gradients.h"
#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unroll/evaluate.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

constexpr CacheOptions kCache{.size = 90, .theta = 0.7, .weight = 0.2};
constexpr DynamicOptions kDynamic{.bptt = 11, .rate = 0.5, .decay = 0.03};

std::vector<Adaptation> adaptations() {
  return {{.temperature = 1.3, .cache = kCache}, {.dynamic = kDynamic}, {.cache = kCache, .dynamic = kDynamic}};
}

std::vector<SymbolPrediction> predictions_of(const Model& model, const Adaptation& adaptation, StatePolicy state,
                                             std::span<const std::int32_t> ids, std::size_t cut, int threads) {
  Workers workers(threads);
  AdaptiveStream stream(model, adaptation, reading_of(model.tokenizer(), state, BeginPolicy::kBoundary), workers);
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
  const std::vector<std::int32_t> ids = tokenizer.encode({random_text(300, 7), "text"}).ids;
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tokenizer);
    for (const Adaptation& adaptation : adaptations()) {
      for (const StatePolicy policy : {StatePolicy::kCarry, StatePolicy::kReset}) {
        const auto expected = predictions_of(model, adaptation, policy, ids, ids.size(), 1);
        expect_same_bits(predictions_of(model, adaptation, policy, ids, 1, 1), expected);
        expect_same_bits(predictions_of(model, adaptation, policy, ids, 37, 2), expected);
        expect_same_bits(predictions_of(model, adaptation, policy, ids, 64, 3), expected);
      }
    }
  }
}

TEST(AdaptiveStream, APredictionDoesNotDependOnWhatFollows) {
  const Tokenizer tokenizer = tiny_characters();
  const Model model = tiny_model(Cell::kLstm, tokenizer);
  const std::vector<std::int32_t> ids = tokenizer.encode({random_text(200, 7), "text"}).ids;
  for (const Adaptation& adaptation : adaptations()) {
    const auto expected = predictions_of(model, adaptation, StatePolicy::kCarry, ids, ids.size(), 1);
    for (const std::size_t same : {1U, 10U, 11U, 64U, 101U}) {
      std::vector<std::int32_t> other = ids;
      for (std::size_t i = same; i < other.size(); ++i) other[i] = 3 + (other[i] + 1) % 5;
      const auto found = predictions_of(model, adaptation, StatePolicy::kCarry, other, ids.size(), 1);
      EXPECT_NE(found[same].log_prob, expected[same].log_prob);
      expect_same_bits({found.begin(), found.begin() + static_cast<std::ptrdiff_t>(same)},
                       {expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(same)});
    }
  }
}

TEST(AdaptiveStream, RankAndEntropyAreThoseOfTheMixture) {
  const Tokenizer tokenizer = tiny_characters();
  const Model model = tiny_model(Cell::kGru, tokenizer);
  const std::vector<std::int32_t> ids = tokenizer.encode({random_text(130, 9), "text"}).ids;
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

// The same by the definition: a network that is made anew with the weights of each segment.
TEST(AdaptiveStream, DynamicEvaluationIsItsDefinition) {
  const Tokenizer tokenizer = tiny_characters();
  const std::vector<std::int32_t> ids = tokenizer.encode({random_text(60, 4), "text"}).ids;
  const std::int64_t T = kDynamic.bptt;
  for (const bool tied : {false, true}) {
    NetworkConfig config = tiny_config(Cell::kLstm, tokenizer);
    config.tied = tied;
    if (tied) config.embed = config.hidden;
    const Model model = model_of(config, tokenizer, random_parameters(config, 0.7F, 3));
    const auto found = predictions_of(model, {.dynamic = kDynamic}, StatePolicy::kCarry, ids, ids.size(), 2);
    const Parameters start = random_parameters(config, 0.7F, 3);
    Parameters now = random_parameters(config, 0.7F, 3);
    Workers workers(1);
    NetworkState state(config, 1);
    std::int32_t input = tokenizer.boundary();
    for (std::size_t first = 0; first < ids.size(); first += static_cast<std::size_t>(T)) {
      const auto next = std::span(ids).subspan(first, std::min<std::size_t>(ids.size() - first, 11));
      NetworkWeights weights(config, Purpose::kTraining);
      weights.pack(now, workers);
      Network network(config, Purpose::kTraining, T, 1, workers);
      Window window;
      set_sequence(input, next, window);
      network.forward(weights, window, state);
      const auto expected = network.log_probs(weights, window);
      for (std::size_t t = 0; t < next.size(); ++t) EXPECT_NEAR(found[first + t].log_prob, expected[t], 1e-5) << first;
      Gradients gradients(config, T);
      (void)network.backward(weights, window, gradients);
      const Parameters g = all_gradients(config, gradients);
      for (std::size_t i = 0; i < now.all().size(); ++i) {
        const double w = now.all()[i];
        now.all()[i] = static_cast<float>(w - kDynamic.rate * g.all()[i] + kDynamic.decay * (start.all()[i] - w));
      }
      input = next.back();
    }
  }
}

TEST(AdaptiveStream, DynamicEvaluationLearnsATextThatRepeats) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "abbey cafe\n";
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const Adaptation learns{.dynamic = DynamicOptions{.bptt = 5, .rate = 0.5, .decay = 0}};
  const double plain = evaluate(model, {text, "text"}, {.exact = true}).nats_per_token;
  const double adapted = evaluate(model, {text, "text"}, {.adaptation = learns}).nats_per_token;
  EXPECT_LT(adapted, 0.9 * plain);
  EXPECT_EQ(evaluate(model, {text, "text"}, {.exact = true}).nats_per_token, plain);
}

TEST(AdaptiveStream, DynamicEvaluationThatOverflowsSaysSo) {
  const Model model = tiny_model(Cell::kRnnRelu, tiny_characters());
  const Adaptation wild{.dynamic = DynamicOptions{.rate = 1e6, .decay = 0}};
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "rate", [&] {
    (void)evaluate(model, {random_text(900, 3), "text"}, {.adaptation = wild});
  }));
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

// The stream itself, where the verbs take the short way without it.
void expect_plain_stream(const Model& model, const std::string& text, StatePolicy policy, const Adaptation& nothing) {
  Workers workers(1);
  const std::vector<std::int32_t> ids = model.tokenizer().encode({text, "text"}).ids;
  const Reading reading = reading_of(model.tokenizer(), policy, BeginPolicy::kBoundary);
  const std::vector<double> log_probs = AdaptiveStream(model, nothing, reading, workers).log_probs(ids, {});
  double nats = 0;
  double of_line = 0;  // an evaluation adds up lines
  for (std::size_t i = 0; i < ids.size(); ++i) {
    of_line -= log_probs[i];
    if (!reading.starts_after(ids[i]) && i + 1 < ids.size()) continue;
    nats += of_line;
    of_line = 0;
  }
  const Evaluation exact = evaluate(model, {text, "text"}, {.state = policy, .exact = true});
  EXPECT_EQ(nats / static_cast<double>(ids.size()), exact.nats_per_token);
}

TEST(Adaptation, WithoutEffectGivesTheBitsOfPlainScoresAndEvaluations) {
  const std::string text = random_text(900, 3);
  const Adaptation nothing{.temperature = 1,
                           .cache = CacheOptions{.size = 100, .theta = 1, .weight = 0},
                           .dynamic = DynamicOptions{.bptt = 13, .rate = 0, .decay = 0.1}};
  EXPECT_EQ(describe(nothing), "");
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tiny_characters());
    for (const StatePolicy policy : {StatePolicy::kCarry, StatePolicy::kReset}) {
      for (const bool exact : {false, true}) {
        const Evaluation plain = evaluate(model, {text, "text"}, {.state = policy, .exact = exact});
        const Evaluation adapted =
            evaluate(model, {text, "text"}, {.state = policy, .exact = exact, .adaptation = nothing});
        EXPECT_EQ(plain.nats_per_token, adapted.nats_per_token);
        EXPECT_EQ(plain.exact, adapted.exact);
      }
      expect_plain_stream(model, text, policy, nothing);
      Scorer one(model, {.accounting = {.state = policy}});
      Scorer other(model, {.accounting = {.state = policy}, .adaptation = nothing});
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
  const Adaptation adaptation{.temperature = 1.1, .cache = kCache, .dynamic = kDynamic};
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  for (const StatePolicy policy : {StatePolicy::kCarry, StatePolicy::kReset}) {
    const Evaluation whole = evaluate(model, {text, "text"}, {.state = policy, .adaptation = adaptation});
    Scorer one_by_one(model, {.accounting = {.state = policy}, .adaptation = adaptation});
    Scorer together(model, {.accounting = {.state = policy}, .tokens = false, .adaptation = adaptation});
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
    EXPECT_THROW((void)evaluate(model, {"abc", "text"}, {.adaptation = adaptation}), Error);
  };
  for (const double temperature : {nan, infinity, 0.0, -1.0}) refused({.temperature = temperature});
  for (const double theta : {nan, infinity, -0.1, 1e7}) refused({.cache = CacheOptions{.theta = theta}});
  for (const double weight : {nan, -0.1, 1.0, 2.0}) refused({.cache = CacheOptions{.weight = weight}});
  for (const double rate : {nan, infinity, -0.1, 1e7}) refused({.dynamic = DynamicOptions{.rate = rate}});
  for (const double decay : {nan, -0.1, 1.1}) refused({.dynamic = DynamicOptions{.decay = decay}});
  for (const std::int64_t bptt : {std::int64_t{0}, std::int64_t{-1}, kLargestDynamicBptt + 1}) {
    refused({.dynamic = DynamicOptions{.bptt = bptt}});
  }
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{-1}, kLargestCacheSize + 1}) {
    refused({.cache = CacheOptions{.size = size}});
  }
}

}  // namespace
}  // namespace unroll
