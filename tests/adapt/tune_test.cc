#include "unroll/adapt/tune.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "adapt/adaptive_stream.h"
#include "adapt/cache_sweep.h"
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

}  // namespace
}  // namespace unroll
