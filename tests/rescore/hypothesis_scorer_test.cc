#include "unroll/nbest/hypothesis_scorer.h"

#include <gtest/gtest.h>

#include "support/error_of.h"
#include "support/tiny_model.h"

namespace unroll {
namespace {

// Lines of characters with many beginnings alike, equal ones and empty ones among them.
std::vector<std::string> alike(std::size_t count) {
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto words = random_words(7, 0, RandomPurpose::kTestPoint, 0, i, 0);
    const std::string text = i == 0 ? "abcdefgh" : texts[words[0] % texts.size()];
    texts.push_back(text.substr(0, words[1] % (text.size() + 1)) + random_lines(1, 12, i).front());
  }
  texts.insert(texts.end(), {"", "", texts.front(), "zab", "a\xC3\xA9"});
  return texts;
}

void expect_scorers_bits(const Model& model, const Accounting& accounting, const std::vector<std::string>& texts,
                         int threads, const std::string& what) {
  HypothesisScorer hypotheses(model, accounting, threads);
  Scorer lines(model, {.accounting = accounting, .tokens = false});
  const std::vector<HypothesisScore> found = hypotheses.score(texts);
  ASSERT_EQ(found.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Score expected = lines.score(texts[i]);
    ASSERT_EQ(found[i].log_prob, expected.log_prob) << what << ": " << texts[i];
    ASSERT_EQ(found[i].tokens, expected.predictions) << what << ": " << texts[i];
    ASSERT_EQ(found[i].unknown_tokens, expected.unknown_tokens) << what << ": " << texts[i];
  }
}

TEST(HypothesisScorer, GivesTheBitsOfAScorerForEveryCellAndThreads) {
  const std::vector<std::string> texts = alike(700);
  for (const Cell cell : all_cells()) {
    for (const int threads : {1, 3}) {
      expect_scorers_bits(tiny_model(cell, tiny_characters()), {}, texts, threads, std::string(cell_name(cell)));
    }
  }
}

TEST(HypothesisScorer, GivesTheBitsOfAScorerUnderEveryAccounting) {
  const Model model = tiny_model(Cell::kLstm, tiny_words());
  const std::vector<std::string> texts{"the cat sees the old dog", "the cat sees the zebra", "", "the cat", "zebra",
                                       "the cat sees the old dog", "and  the   cat"};
  for (const bool end : {true, false}) {
    for (const std::string context : {"", "the old", "the zebra and"}) {
      for (const UnknownPolicy unknown : {UnknownPolicy::kScore, UnknownPolicy::kSkip, UnknownPolicy::kShare}) {
        expect_scorers_bits(model,
                            {.context = context,
                             .end = end,
                             .unknown = unknown,
                             .unknown_words = unknown == UnknownPolicy::kShare ? 40 : 1},
                            texts, 2, context);
      }
    }
  }
}

TEST(HypothesisScorer, GivesTheBitsOfAScorerWithAnAdaptiveSoftmaxAProjectionAndLayerNorm) {
  NetworkConfig config = tiny_config(Cell::kLstm, tiny_characters());
  config.cutoffs = {4, 9};
  config.hidden = 16;
  expect_scorers_bits(model_of(config, tiny_characters(), random_parameters(config, 0.7F, 4)), {}, alike(300), 2,
                      "adaptive");
  config = tiny_config(Cell::kGru, tiny_characters());
  config.tied = true;
  config.layer_norm = true;
  expect_scorers_bits(model_of(config, tiny_characters(), random_parameters(config, 0.7F, 4)), {}, alike(300), 2,
                      "tied");
}

TEST(HypothesisScorer, ReadsEveryBeginningOnce) {
  HypothesisScorer scorer(tiny_model(Cell::kGru, tiny_characters()));
  (void)scorer.score(std::vector<std::string>{"abc", "abd", "abc"});
  EXPECT_EQ(scorer.work().tokens, 12);
  EXPECT_EQ(scorer.work().steps, 5);  // begin, a, b, c, d
  NetworkConfig config = tiny_config(Cell::kGru, tiny_characters());
  config.cutoffs = {4, 9};
  config.hidden = 16;
  HypothesisScorer adaptive(model_of(config, tiny_characters(), random_parameters(config, 0.7F, 4)));
  (void)adaptive.score(std::vector<std::string>{"abc", "abd", "abc"});
  EXPECT_EQ(adaptive.work().steps, 6);  // b is read for c and for d
}

TEST(HypothesisScorer, MoreTextsThanATreeTakesGetTheSameScores) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const std::vector<std::string> texts = random_lines(9000, 3, 5);
  HypothesisScorer scorer(model);
  const auto all = scorer.score(texts);
  ASSERT_EQ(all.size(), texts.size());
  for (const std::size_t i : {0U, 4095U, 4096U, 8191U, 8192U, 8999U}) {
    EXPECT_EQ(all[i].log_prob, scorer.score(std::vector<std::string>{texts[i]}).front().log_prob) << i;
  }
  EXPECT_TRUE(scorer.score({}).empty());
}

TEST(HypothesisScorer, TextsMayFollowAState) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  Scorer steps(model);
  State state = steps.initial_state();
  for (const std::int32_t id : {4, 5, 1}) steps.step(state, id);
  HypothesisScorer scorer(model);
  const auto found = scorer.score_after(state, std::vector<std::string>{"ab", "ac"});
  double sum = 0;
  for (const std::int32_t id : {3, 4, 1}) sum += steps.step(state, id);
  EXPECT_EQ(found[0].log_prob, sum);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "state",
                         [&] { (void)scorer.score_after(State{}, std::vector<std::string>{"a"}); }));
}

TEST(HypothesisScorer, SaysWhichTextCannotBeScored) {
  HypothesisScorer scorer(tiny_model(Cell::kLstm, tiny_characters()));
  const std::vector<std::string> texts{"ab", "a\xff"};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "text 2", [&] { (void)scorer.score(texts); }));
  EXPECT_EQ(error_of([&] { (void)scorer.score(texts); })->index(), 1);
  EXPECT_TRUE(
      fails_with(ErrorCode::kInput, "here", [&] { (void)scorer.score(texts, [](std::size_t) { return "here"; }); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line end", [&] { (void)scorer.score(std::vector<std::string>{"a\nb"}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "alternatives", [] {
    HypothesisScorer(tiny_model(Cell::kLstm, tiny_characters()), {.state = StatePolicy::kCarry});
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "its begin is none", [] {
    HypothesisScorer(tiny_model(Cell::kLstm, tiny_characters()), {.begin = BeginPolicy::kNone});
  }));
  const NetworkConfig config = tiny_config(Cell::kRnnRelu, tiny_characters());
  HypothesisScorer wild(model_of(config, tiny_characters(), random_parameters(config, 1e30F, 3)));
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "text 1", [&] { (void)wild.score(std::vector<std::string>{"abab"}); }));
}

}  // namespace
}  // namespace unroll
