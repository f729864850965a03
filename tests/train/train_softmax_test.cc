// Training with another softmax than the full one, seen from outside.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/small_run.h"
#include "unroll/evaluate.h"
#include "unroll/exchange/convert.h"
#include "unroll/generator.h"
#include "unroll/model.h"
#include "unroll/scorer.h"
#include "unroll/train.h"

namespace unroll {
namespace {

class TrainSoftmax : public SmallRun {
 protected:
  TrainOptions adaptive(const std::string& name = "model") {
    TrainOptions options = small(name);
    options.tokenizer.kind = TokenizerKind::kWord;
    options.network.hidden = 16;
    options.network.softmax = Softmax::kAdaptive;
    options.network.cutoffs = {4, 9};
    return options;
  }
};

TEST_F(TrainSoftmax, AdaptiveLearnsAndRepeatsAndResumes) {
  TrainOptions options = adaptive("whole");
  options.run.lr = 0.02;
  const TrainResult result = train(options);
  const Model model = Model::load(options.files.save);
  EXPECT_EQ(model.config().cutoffs, options.network.cutoffs);
  EXPECT_LT(*result.best_valid_nats_per_token, 0.95 * std::log(static_cast<double>(model.config().vocabulary)));
  const std::string bytes = bytes_of(options.files.save);
  EXPECT_EQ(trained_in_parts(options), bytes);
  options.run.threads = 3;
  options.files.overwrite = true;
  EXPECT_EQ(trained(options), bytes);
}

TEST_F(TrainSoftmax, AdaptiveCutoffsFollowFromTheVocabularyAndAreRecorded) {
  TrainOptions options = adaptive();
  options.network.cutoffs = {};
  options.run.steps = 2;
  train(options);
  const Model model = Model::load(options.files.save);
  EXPECT_EQ(model.config().cutoffs, default_cutoffs(model.config().vocabulary));
  options.files.resume = true;
  options.network.softmax = Softmax::kFull;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`network.softmax` is full now and was adaptive", [&] { train(options); }));
}

// Evaluation asks for log-probabilities alone, scoring for more, adaptation for all logits: the same bits.
TEST_F(TrainSoftmax, EveryWayToAnAdaptiveModelsLogProbabilitiesHasTheSameBits) {
  train(adaptive());
  const Model model = Model::load(folder_.path("model"));
  const std::string text = some_text(9);
  const EvaluateOptions plain{.exact = true};
  EvaluateOptions unchanged = plain;
  unchanged.adaptation = {.cache = CacheOptions{.weight = 0}, .dynamic = DynamicOptions{.rate = 0}};
  const double nats = evaluate(model, {text, "text"}, plain).nats_per_token;
  EXPECT_EQ(evaluate(model, {text, "text"}, unchanged).nats_per_token, nats);
  Scorer scorer(model);
  const std::string line = "the old cat sees the house";
  const Score score = scorer.score(line);
  const EvaluateOptions by_line{.state = StatePolicy::kReset};
  EXPECT_EQ(-score.log_prob / static_cast<double>(score.tokens.size()),
            evaluate(model, {line + "\n", "line"}, by_line).nats_per_token);
}

TEST_F(TrainSoftmax, EveryPrecisionOfAnAdaptiveModelScoresAndWrites) {
  TrainOptions options = adaptive();
  train(options);
  const Model model = Model::load(options.files.save);
  convert(model, Precision::kBf16, folder_.path("bf16"));
  convert(model, Precision::kInt8, folder_.path("int8"));
  for (const std::string& path : {options.files.save, folder_.path("bf16"), folder_.path("int8")}) {
    Scorer scorer(Model::load(path));
    const Score score = scorer.score("the old cat sees the house");
    State state = scorer.initial_state();
    for (const TokenScore& token : score.tokens) {
      const std::vector<double> log_probs = scorer.next_log_probs(state);
      double sum = 0;
      double entropy = 0;
      for (const double log_prob : log_probs) {
        sum += std::exp(log_prob);
        entropy -= std::exp(log_prob) * log_prob;
      }
      EXPECT_NEAR(sum, 1, 1e-6);
      EXPECT_NEAR(token.log_prob, log_probs[static_cast<std::size_t>(token.id)], 1e-5);
      EXPECT_NEAR(token.entropy, entropy, 1e-5);
      EXPECT_EQ(scorer.step(state, token.id), token.log_prob) << path;
    }
  }
}

// Tied and not, with every optimizer's way with rows that no step touches, and with an average of the weights.
TEST_F(TrainSoftmax, SampledLearnsAndRepeatsAndResumes) {
  for (const int variant : {0, 1, 2, 3}) {
    TrainOptions options = small("whole");
    options.tokenizer.kind = TokenizerKind::kWord;
    options.network.softmax = Softmax::kSampled;
    options.network.samples = 3;
    options.files.overwrite = true;
    options.run.lr = variant == 2 ? 2 : 0.02;
    options.network.tied = variant % 2 == 1;
    if (variant == 1) options.network.embed = 7;  // a projection stands between
    if (variant == 2) options.run.optimizer = Optimizer::kSgd;
    if (variant == 3) options.run.average = Average::kEma;
    std::int64_t samples = 0;
    const TrainResult result = train(options, {.on_plan = [&](const TrainPlan& plan) { samples = plan.samples; }});
    EXPECT_EQ(samples, 3);
    const Model model = Model::load(options.files.save);
    EXPECT_TRUE(model.config().cutoffs.empty());
    EXPECT_LT(*result.best_valid_nats_per_token, 0.98 * std::log(static_cast<double>(model.config().vocabulary)));
    const std::string bytes = bytes_of(options.files.save);
    EXPECT_EQ(trained_in_parts(options), bytes) << variant;
    options.run.threads = 3;
    EXPECT_EQ(trained(options), bytes) << variant;
  }
}

TEST_F(TrainSoftmax, SampledComesCloseToFull) {
  TrainOptions options = small();
  options.tokenizer.kind = TokenizerKind::kWord;
  options.run.lr = 0.01;
  options.run.steps = 400;
  options.files.overwrite = true;
  const double full = *train(options).best_valid_nats_per_token;
  options.network.softmax = Softmax::kSampled;
  options.network.samples = 5;
  const double sampled = *train(options).best_valid_nats_per_token;
  EXPECT_LT(sampled, full + 0.15);
}

TEST_F(TrainSoftmax, SamplesAreBoundedAndRecorded) {
  TrainOptions options = small();
  options.network.softmax = Softmax::kSampled;
  options.run.steps = 2;
  options.network.samples = 1000;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`network.samples` is 1000: expected 1 to", [&] { train(options); }));
  options.network.softmax = Softmax::kFull;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`network.samples` is for `network.softmax` sampled: here it is full",
                         [&] { train(options); }));
  options.network.softmax = Softmax::kSampled;
  options.network.samples = 4;
  train(options);
  options.files.resume = true;
  options.network.samples = 5;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`network.samples` is 5 now and was 4", [&] { train(options); }));
}

TEST_F(TrainSoftmax, ContradictionsAreRefused) {
  const auto refuses = [](const TrainOptions& options, const std::string& part) {
    return fails_with(ErrorCode::kUsage, part, [&] { train(options); });
  };
  TrainOptions tied = adaptive();
  tied.network.tied = true;
  EXPECT_TRUE(refuses(tied, "tied weights and an adaptive softmax exclude each other"));
  TrainOptions full = adaptive();
  full.network.softmax = Softmax::kFull;
  EXPECT_TRUE(refuses(full, "`network.cutoffs` is for `network.softmax` adaptive: here it is full"));
  TrainOptions falling = adaptive();
  falling.network.cutoffs = {9, 4};
  EXPECT_TRUE(refuses(falling, "cutoff 4: expected more than 9"));
  TrainOptions beyond = adaptive();
  beyond.network.cutoffs = {4, 100};
  EXPECT_TRUE(refuses(beyond, "cutoff 100: expected more than 4 and less than the vocabulary"));
  TrainOptions narrow = adaptive();
  narrow.network.hidden = 15;
  EXPECT_TRUE(refuses(narrow, "would have width 0"));
}

TEST(DefaultCutoffs, GrowFourfoldBelowHalfOfTheVocabulary) {
  EXPECT_EQ(default_cutoffs(2), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(default_cutoffs(10000), (std::vector<std::int64_t>{2000}));
  EXPECT_EQ(default_cutoffs(33278), (std::vector<std::int64_t>{4000, 16000}));
  EXPECT_EQ(default_cutoffs(250000), (std::vector<std::int64_t>{4000, 16000, 64000}));
}

}  // namespace
}  // namespace unroll
