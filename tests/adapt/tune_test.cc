#include "unroll/adapt/tune.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapt/adaptive_stream.h"
#include "adapt/cache_sweep.h"
#include "adapt/convex_search.h"
#include "support/error_of.h"
#include "support/random_matrix.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/evaluate.h"
#include "unroll/exchange/convert.h"

namespace unroll {
namespace {

// A text with something to gain: words that come again and again.
std::string repeating_text() {
  std::string text;
  for (std::uint64_t i = 0; i < 30; ++i) text += random_lines(1, 12, 1 + i % 3).front() + " " + "abbey" + "\n";
  return text;
}

TEST(SweepCache, IsWhatTheCacheTellsForEverySetting) {
  constexpr std::size_t kTokens = 200;
  const RandomMatrix h(kTokens, 6, 3);
  std::vector<std::int32_t> ids;
  RecordedText text;
  for (std::uint32_t i = 0; i < kTokens; ++i) {
    const auto words = random_words(9, 0, RandomPurpose::kTestPoint, 0, i, 0);
    ids.push_back(static_cast<std::int32_t>(words[0] % 7));
    text.log_probs.push_back(-0.1 - 4.0 * static_cast<double>(uniform_float(words[1])));
  }
  text.ids = ids;
  text.states = h.values;
  const CacheGrid grid{.sizes = {1, 30, 500}, .thetas = {0, 0.7, 1e6}, .weights = {0.1, 0.8}};
  std::vector<double> sums;
  for (const int threads : {1, 2, 3}) {
    Workers workers(threads);
    const std::vector<double> found = sweep_cache(workers, text, grid);
    if (threads == 1) sums = found;
    EXPECT_EQ(found, sums);
  }
  Workers workers(1);
  std::size_t place = 0;
  for (const std::int64_t size : grid.sizes) {
    for (const double theta : grid.thetas) {
      for (const double weight : grid.weights) {
        NeuralCache cache({.size = size, .theta = theta, .weight = weight});
        cache.attend(workers, h.view, ids);
        double nats = -text.log_probs[0];
        for (std::size_t t = 1; t < kTokens; ++t) {
          nats -= cache.mixed(static_cast<std::int64_t>(t), text.log_probs[t]);
        }
        EXPECT_NEAR(sums.at(place++), nats, 1e-9 * nats) << size << " " << theta << " " << weight;
      }
    }
  }
}

struct Found {
  double x;
  std::size_t tries;
};

// From the points that tune() begins with.
Found least_of(const std::function<double(double x)>& loss, const NumberRange& range = {.least = 0.001, .most = 1000}) {
  std::vector<SearchPoint> tried;
  const auto add = [&](double x) {
    tried.push_back({.x = x, .loss = loss(x)});
    std::ranges::sort(tried, {}, &SearchPoint::x);
  };
  for (const double x : {0.85, 1.0, 1.15}) add(x);
  while (const auto next = next_to_try(tried, range)) {
    add(*next);
    if (tried.size() > 60) break;
  }
  return {.x = std::ranges::min_element(tried, {}, &SearchPoint::loss)->x, .tries = tried.size()};
}

TEST(ConvexSearch, FindsTheLeastWhereverItLies) {
  for (const double best : {0.0021, 0.03, 0.31, 0.84, 0.97, 1.0, 1.01, 1.18, 1.4, 3.0, 42.0, 640.0}) {
    // Both are convex in 1 / x; the second is steep on one side.
    const Found smooth = least_of([&](double x) { return best / x + std::log(x); });
    EXPECT_NEAR(smooth.x, best, 0.01 * best);
    EXPECT_LE(smooth.tries, 25U) << best;
    if (best > 100) continue;  // the other one would overflow
    const Found steep = least_of([&](double x) { return std::exp(8 * (best / x - 1)) - 8 * best / x; });
    EXPECT_NEAR(steep.x, best, 0.01 * best);
    EXPECT_LE(steep.tries, 30U) << best;
  }
  EXPECT_EQ(least_of([](double x) { return 1 / x; }).x, 1000);
  EXPECT_EQ(least_of([](double x) { return x; }).x, 0.001);
  const auto overflows = [](double x) {
    return x < 0.9 ? std::numeric_limits<double>::infinity() : 0.93 / x + std::log(x);
  };
  EXPECT_NEAR(least_of(overflows).x, 0.93, 0.005);
  EXPECT_EQ(least_of([](double) { return 2.0; }).tries, 3U);
  const std::vector<SearchPoint> flat{{.x = 0.9, .loss = 2.00005}, {.x = 1, .loss = 2}, {.x = 1.1, .loss = 2.00005}};
  EXPECT_TRUE(next_to_try(flat, {.least = 0.001, .most = 1000}));
  EXPECT_FALSE(next_to_try(flat, {.least = 0.001, .most = 1000}, 1e-4));
}

Model scaled_model(float scale) {
  const NetworkConfig config = tiny_config(Cell::kLstm, tiny_characters());
  return model_of(config, tiny_characters(), random_parameters(config, scale, 3));
}

// A model that is far too certain, and one that is far too uncertain.
TEST(Tune, FindsATemperatureFarFromOne) {
  std::string lines;
  for (const std::string& line : random_lines(8, 12, 4)) lines += line + "\n";
  const Model certain = scaled_model(6);
  std::string written;
  for (int i = 0; i < 40; ++i) written += "a";
  for (const auto& [model, text] : {std::pair(certain, lines), std::pair(scaled_model(0.05F), written + "\n")}) {
    const TuneResult result = tune(model, {text, "text"}, {.cache = false, .dynamic = false, .threads = 1});
    const auto loss_at = [&](double temperature) {
      return evaluate(model, {text, "text"}, {.exact = true, .adaptation = {.temperature = temperature}, .threads = 1})
          .nats_per_token;
    };
    EXPECT_EQ(result.best.nats_per_token, loss_at(result.best.adaptation.temperature));
    for (double temperature = 0.002; temperature < 1000; temperature *= 1.3) {
      EXPECT_LE(result.best.nats_per_token, loss_at(temperature)) << temperature;
    }
    EXPECT_GT(std::abs(std::log(result.best.adaptation.temperature)), std::log(1.4));
  }
}

// A cache and dynamic evaluation need less of a temperature than the network alone.
TEST(Tune, FindsTheTemperatureOfAllSettingsTogether) {
  const std::string text = repeating_text().substr(0, 200);
  const Model model = scaled_model(1);
  const TuneResult result = tune(model, {text, "text"}, {.tokens = 200, .threads = 1});
  for (const double factor : {0.8, 0.9, 1.1, 1.25}) {
    Adaptation other = result.best.adaptation;
    other.temperature = std::min(kLargestTemperature, factor * other.temperature);
    EXPECT_LT(result.best.nats_per_token - 1e-3,
              evaluate(model, {text, "text"}, {.exact = true, .adaptation = other, .threads = 1}).nats_per_token)
        << factor << " " << describe(other);
  }
}

// A model that is sure of what never comes would predict best with a temperature above all that are accepted.
TEST(Tune, NamesASettingBeyondWhichNothingWasTried) {
  const Model model = stubborn_model(tiny_characters(), 5);
  const std::string text = "ababba\nabba\n";
  const TuneResult result = tune(model, {text, "text"}, {.cache = false, .dynamic = false, .threads = 1});
  EXPECT_EQ(result.best.adaptation.temperature, kLargestTemperature);
  EXPECT_EQ(result.at_end, std::vector<std::string>{"temperature"});
  EXPECT_TRUE(
      tune(model, {text, "text"}, {.temperature = false, .cache = false, .tokens = 10, .threads = 1}).at_end.empty());
}

TEST(Tune, GoesOnWhereTheBestIsTheLastThatWasTried) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "abcdefgh";
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const TuneResult cached = tune(model, {text, "text"}, {.temperature = false, .dynamic = false, .threads = 1});
  const auto loss_with = [&](const Adaptation& adaptation, const std::string& of) {
    return evaluate(model, {of, "text"}, {.exact = true, .adaptation = adaptation, .threads = 1}).nats_per_token;
  };
  ASSERT_TRUE(cached.best.adaptation.cache);
  for (const double factor : {0.5, 2.0}) {
    CacheOptions other = *cached.best.adaptation.cache;
    other.theta *= factor;
    EXPECT_LT(cached.best.nats_per_token - 2e-4, loss_with({.cache = other}, text)) << factor;
    other = *cached.best.adaptation.cache;
    other.weight = 1 - (1 - other.weight) * factor;
    if (other.weight > 0 && other.weight < 1) {
      EXPECT_LT(cached.best.nats_per_token - 2e-4, loss_with({.cache = other}, text)) << factor;
    }
  }
  EXPECT_GT(cached.best.adaptation.cache->weight, 0.675);
  const TuneResult dynamic =
      tune(model, {text, "text"}, {.temperature = false, .cache = false, .tokens = 200, .threads = 1});
  ASSERT_TRUE(dynamic.best.adaptation.dynamic);
  for (const double factor : {0.3, 3.0}) {
    DynamicOptions other = *dynamic.best.adaptation.dynamic;
    other.rate *= factor;
    const auto error = error_of([&] {
      EXPECT_LT(dynamic.best.nats_per_token, loss_with({.dynamic = other}, text.substr(0, 200)) + 1e-3) << factor;
    });
    EXPECT_TRUE(!error || error->code() == ErrorCode::kNumeric);
  }
}

TEST(Tune, FindsSettingsThatEvaluateConfirms) {
  const std::string text = repeating_text();
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const TuneResult result = tune(model, {text, "text"}, {.tokens = 200});
  EXPECT_EQ(result.plain.nats_per_token, evaluate(model, {text, "text"}, {.exact = true}).nats_per_token);
  EXPECT_EQ(result.best.tokens, 200);
  ASSERT_TRUE(result.best.adaptation.dynamic.has_value());
  const std::string start = text.substr(0, 200);
  double least = result.plain.nats_per_token;
  for (const TuneTrial& trial : result.trials) {
    ASSERT_FALSE(std::isnan(trial.nats_per_token));
    EXPECT_EQ(trial.perplexity, std::exp(trial.nats_per_token));
    if (!std::isfinite(trial.nats_per_token)) continue;
    const bool whole = trial.tokens == result.plain.tokens;
    const Evaluation evaluation =
        evaluate(model, {whole ? text : start, "text"}, {.exact = true, .adaptation = trial.adaptation});
    EXPECT_EQ(evaluation.tokens, trial.tokens);
    EXPECT_NEAR(evaluation.nats_per_token, trial.nats_per_token, 1e-9) << describe(trial.adaptation);
    if (!whole) least = std::min(least, trial.nats_per_token);
  }
  EXPECT_EQ(result.best.nats_per_token, least);
}

TEST(Tune, FindsTheSameWithAnyNumberOfThreads) {
  const std::string text = repeating_text();
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const TuneResult one = tune(model, {text, "text"}, {.tokens = 100, .threads = 1});
  const TuneResult two = tune(model, {text, "text"}, {.tokens = 100, .threads = 2});
  EXPECT_EQ(one.best.adaptation, two.best.adaptation);
  ASSERT_EQ(one.trials.size(), two.trials.size());
  for (std::size_t i = 0; i < one.trials.size(); ++i) {
    EXPECT_EQ(one.trials[i].adaptation, two.trials[i].adaptation);
    EXPECT_EQ(one.trials[i].nats_per_token, two.trials[i].nats_per_token);
  }
}

TEST(Tune, LooksOnlyForWhatItIsAskedFor) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const std::string text = repeating_text();
  for (const TuneTrial& trial : tune(model, {text, "text"}, {.cache = false, .dynamic = false}).trials) {
    EXPECT_FALSE(trial.adaptation.cache || trial.adaptation.dynamic);
  }
  for (const TuneTrial& trial : tune(model, {text, "text"}, {.temperature = false, .dynamic = false}).trials) {
    EXPECT_TRUE(trial.adaptation.temperature == 1 && trial.adaptation.cache && !trial.adaptation.dynamic);
  }
  std::vector<std::string> passes;
  const auto progress = [&](const std::string& what, std::int64_t done, std::int64_t total) {
    EXPECT_LE(done, total);
    if (done == total) passes.push_back(what);
  };
  const TuneResult result =
      tune(model, {text, "text"}, {.temperature = false, .cache = false, .tokens = 50, .progress = progress});
  EXPECT_EQ(result.trials.front().adaptation, Adaptation{});
  EXPECT_EQ(result.trials.front().tokens, 50);
  EXPECT_EQ(passes.front(), "plain");
  EXPECT_EQ(passes.back(), "dynamic");
}

TEST(Tune, RefusesWhatItCannotTune) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const auto call = [&](const std::string& text, const TuneOptions& options) {
    return [&model, text, options] { (void)tune(model, {text, "a.txt"}, options); };
  };
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "a.txt", call("", {})));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "a.txt", call("ab\xFF", {})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "nothing to tune",
                         call("abc", {.temperature = false, .cache = false, .dynamic = false})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`tokens` is 0", call("abc", {.tokens = 0})));
  EXPECT_NO_THROW(call("a", {})());

  const TemporaryFolder folder;
  convert(model, Precision::kInt8, folder.path("int8"));
  const Model rounded = Model::load(folder.path("int8"));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "gradients", [&] { (void)tune(rounded, {"abc", "a.txt"}); }));
  EXPECT_NO_THROW((void)tune(rounded, {"abc", "a.txt"}, {.dynamic = false}));
}

// Where the first token of each line is given, tune measures what evaluate measures of the same model.
TEST(Tune, LeavesGivenTokensOut) {
  const Tokenizer tokenizer = tiny_characters();
  const NetworkConfig config = tiny_config(Cell::kLstm, tokenizer);
  const Model model(std::make_shared<const Model::Data>(
      Model::Data{config, tokenizer, {}, ModelWeights(random_parameters(config, 0.7F, 3)), BeginPolicy::kNone}));
  const std::string text = repeating_text();
  for (const StatePolicy state : {StatePolicy::kReset, StatePolicy::kCarry}) {
    const TuneOptions options{.dynamic = state == StatePolicy::kReset, .state = state, .tokens = 150, .threads = 1};
    const TuneResult result = tune(model, {text, "text"}, options);
    const Evaluation plain = evaluate(model, {text, "text"}, {.state = state, .exact = true, .threads = 1});
    EXPECT_EQ(result.plain.tokens, plain.tokens);
    EXPECT_NEAR(result.plain.nats_per_token, plain.nats_per_token, 1e-9);
    for (const TuneTrial& trial : result.trials) {
      if (!trial.adaptation.cache || trial.tokens != plain.tokens) continue;
      const Evaluation cached =
          evaluate(model, {text, "text"}, {.state = state, .adaptation = trial.adaptation, .threads = 1});
      EXPECT_NEAR(trial.nats_per_token, cached.nats_per_token, 1e-6);
      break;
    }
  }
  const TuneOptions of_one{.temperature = false, .cache = false, .tokens = 1};
  EXPECT_EQ(tune(model, {text, "text"}, of_one).best.tokens, 1);
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "holds no token that is predicted", [&] {
    (void)tune(model, {"a", "text"}, {.temperature = true, .threads = 1});
  }));
}

}  // namespace
}  // namespace unroll
