#include "unroll/score/accounting.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unroll/error.h"
#include "unroll/evaluate.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

const std::vector<std::string> kLines = {"abz a", "", "zzz", "h", "cafe z z bad"};

std::vector<Score> scores(const Accounting& accounting, bool tokens = true) {
  Scorer scorer(tiny_model(Cell::kLstm, tiny_characters()), {.accounting = accounting, .tokens = tokens, .threads = 1});
  return scorer.score(kLines);
}

TEST(Accounting, SkippedUnknownTokensAreLeftOutOfSumAndCount) {
  for (const StatePolicy state : {StatePolicy::kReset, StatePolicy::kCarry}) {
    const std::vector<Score> scored = scores({.state = state});
    const std::vector<Score> skipped = scores({.state = state, .unknown = UnknownPolicy::kSkip});
    const std::vector<Score> without_tokens = scores({.state = state, .unknown = UnknownPolicy::kSkip}, false);
    for (std::size_t i = 0; i < kLines.size(); ++i) {
      double known = 0;
      std::int64_t count = 0;
      for (const TokenScore& token : scored[i].tokens) {
        EXPECT_TRUE(token.counted);
        if (token.id == 0) continue;
        known += token.log_prob;
        ++count;
      }
      EXPECT_EQ(skipped[i].log_prob, known);
      EXPECT_EQ(skipped[i].predictions, count);
      EXPECT_EQ(skipped[i].unknown_tokens, scored[i].unknown_tokens);
      EXPECT_EQ(skipped[i].tokens.size(), scored[i].tokens.size());
      for (std::size_t t = 0; t < scored[i].tokens.size(); ++t) {
        EXPECT_EQ(skipped[i].tokens[t].log_prob, scored[i].tokens[t].log_prob);
        EXPECT_EQ(skipped[i].tokens[t].counted, scored[i].tokens[t].id != 0);
      }
      EXPECT_EQ(without_tokens[i].log_prob, known);
      EXPECT_EQ(without_tokens[i].predictions, count);
    }
  }
}

TEST(Accounting, UnknownWordsThatShareCostTheLogarithmOfTheirNumberMore) {
  const std::vector<Score> scored = scores({});
  const std::vector<Score> shared = scores({.unknown = UnknownPolicy::kShare, .unknown_words = 1000});
  for (std::size_t i = 0; i < kLines.size(); ++i) {
    for (std::size_t t = 0; t < scored[i].tokens.size(); ++t) {
      const TokenScore& token = scored[i].tokens[t];
      const double expected = token.log_prob - (token.id == 0 ? std::log(1000.0) : 0);
      EXPECT_DOUBLE_EQ(shared[i].tokens[t].log_prob, expected);
    }
    EXPECT_EQ(shared[i].predictions, scored[i].predictions);
    EXPECT_NEAR(shared[i].log_prob,
                scored[i].log_prob - static_cast<double>(scored[i].unknown_tokens) * std::log(1000.0), 1e-12);
  }
}

TEST(Accounting, AContextIsReadBeforeEachLineAndNotCounted) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const std::string context = "fade z ";
  Scorer after(model, {.accounting = {.context = context}, .threads = 1});
  Scorer whole(model, {.threads = 1});
  const std::vector<Score> got = after.score(kLines);
  for (std::size_t i = 0; i < kLines.size(); ++i) {
    const Score expected = whole.score(context + kLines[i]);
    ASSERT_EQ(got[i].tokens.size(), kLines[i].size() + 1);
    double sum = 0;
    for (std::size_t t = 0; t < got[i].tokens.size(); ++t) {
      EXPECT_EQ(got[i].tokens[t].log_prob, expected.tokens[context.size() + t].log_prob);
      EXPECT_EQ(got[i].tokens[t].offset, static_cast<std::int64_t>(t));
      sum += got[i].tokens[t].log_prob;
    }
    EXPECT_EQ(got[i].log_prob, sum);
  }
  EXPECT_EQ(got[0].unknown_tokens, 1);
}

TEST(Accounting, EvaluateSumsWhatTheScorerSums) {
  std::string text;
  for (const std::string& line : kLines) text += line + '\n';
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  for (const Accounting& accounting :
       {Accounting{}, Accounting{.end = false}, Accounting{.unknown = UnknownPolicy::kSkip},
        Accounting{.end = false, .unknown = UnknownPolicy::kShare, .unknown_words = 77},
        Accounting{.state = StatePolicy::kCarry, .end = false, .unknown = UnknownPolicy::kSkip}}) {
    const Evaluation result = evaluate(model, {text, "text"},
                                       {.state = accounting.state,
                                        .exact = true,
                                        .end = accounting.end,
                                        .unknown = accounting.unknown,
                                        .unknown_words = accounting.unknown_words,
                                        .threads = 1});
    double sum = 0;
    std::int64_t predictions = 0;
    std::int64_t unknown = 0;
    for (const Score& score : scores(accounting)) {
      sum += score.log_prob;
      predictions += score.predictions;
      unknown += score.unknown_tokens;
    }
    EXPECT_EQ(result.tokens, predictions);
    EXPECT_EQ(result.unknown_tokens, unknown);
    EXPECT_NEAR(result.nats_per_token * static_cast<double>(result.tokens), -sum, 1e-9);
    EXPECT_FALSE(result.comparable);
  }
}

TEST(Accounting, PoliciesThatContradictThemselvesAreRefused) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const auto refused = [&](const std::string& part, const ScorerOptions& options) {
    return fails_with(ErrorCode::kUsage, part, [&] { Scorer scorer(model, options); });
  };
  EXPECT_TRUE(refused("share", {.accounting = {.unknown_words = 5}}));
  EXPECT_TRUE(refused("expected 1", {.accounting = {.unknown = UnknownPolicy::kShare, .unknown_words = 0}}));
  EXPECT_TRUE(refused("carried", {.accounting = {.state = StatePolicy::kCarry, .context = "a"}}));
  EXPECT_TRUE(refused("byte 2", {.accounting = {.context = "ab\nc"}}));
  EXPECT_TRUE(refused("cache", {.accounting = {.context = "a"}, .adaptation = {.cache = CacheOptions{}}}));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "the context",
                         [&] { Scorer scorer(model, {.accounting = {.context = "a\xFF"}, .threads = 1}); }));
}

TEST(Accounting, NamesOfUnknownPoliciesAreParsed) {
  for (const UnknownPolicy policy : {UnknownPolicy::kScore, UnknownPolicy::kSkip, UnknownPolicy::kShare}) {
    EXPECT_EQ(parse_unknown_policy(unknown_policy_name(policy)), policy);
  }
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "skip", [] { (void)parse_unknown_policy("drop"); }));
}

}  // namespace
}  // namespace unroll
