#include "unroll/scorer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Every bit of a score as text that compares and prints.
std::string bits(const Score& score) {
  std::string result;
  for (const TokenScore& token : score.tokens) {
    char numbers[128];
    std::snprintf(numbers, sizeof numbers, "%d %a %d %a %d;", token.id, token.log_prob, static_cast<int>(token.rank),
                  token.entropy, static_cast<int>(token.offset));
    result += numbers;
  }
  return result;
}

std::vector<std::string> bits(const std::vector<Score>& scores) {
  std::vector<std::string> result;
  for (const Score& score : scores) result.push_back(bits(score));
  return result;
}

TEST(Scorer, StepByStepGivesTheBitsOfOnePass) {
  const std::string line = "abcdefgh fade cab h\xC3\xA9 " + random_lines(1, 150, 5).front();
  for (const Cell cell : all_cells()) {
    for (const StatePolicy policy : {StatePolicy::kReset, StatePolicy::kCarry}) {
      Scorer scorer(tiny_model(cell, tiny_characters()), {.accounting = {.state = policy}, .threads = 2});
      const Score score = scorer.score(line);
      State state = scorer.initial_state();
      for (const TokenScore& token : score.tokens) {
        ASSERT_EQ(scorer.step(state, token.id), token.log_prob) << cell_name(cell) << ", byte " << token.offset;
      }
      EXPECT_EQ(score.tokens.size(), score.tokens.back().offset + 1U - 1U);  // one character of two bytes, one boundary
    }
  }
}

TEST(Scorer, ALineScoresTheSameBitsInAnyCompany) {
  std::vector<std::string> lines = random_lines(150, 40, 1);
  lines[70] = random_lines(1, 3000, 9).front();  // longer than all others together
  lines[71] = "";
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tiny_characters());
    Scorer scorer(model, {.threads = 1});
    const std::vector<std::string> together = bits(scorer.score(lines));
    ASSERT_EQ(together.size(), lines.size());
    for (std::size_t i = 0; i < lines.size(); i += 7) EXPECT_EQ(bits(scorer.score(lines[i])), together[i]);
    EXPECT_EQ(bits(scorer.score(lines[70])), together[70]);

    std::vector<std::string> backwards(lines.rbegin(), lines.rend());
    std::vector<std::string> scored_backwards = bits(scorer.score(backwards));
    std::reverse(scored_backwards.begin(), scored_backwards.end());
    EXPECT_EQ(scored_backwards, together);

    for (const int threads : {2, 3}) {
      EXPECT_EQ(bits(Scorer(model, {.threads = threads}).score(lines)), together) << threads << " threads";
    }
  }
}

TEST(Scorer, WhatIsKeptChangesNoLogProbability) {
  const std::vector<std::string> lines = random_lines(20, 30, 4);
  for (const StatePolicy policy : {StatePolicy::kReset, StatePolicy::kCarry}) {
    const ScorerOptions options{.accounting = {.state = policy}, .threads = 1};
    Scorer whole(tiny_model(Cell::kLstm, tiny_characters()), options);
    Scorer changing(tiny_model(Cell::kLstm, tiny_characters()), options);
    for (const auto& [tokens, ranks] : {std::pair(false, false), std::pair(true, false), std::pair(true, true)}) {
      changing.keep(tokens, ranks);
      const std::vector<Score> expected = whole.score(lines);
      const std::vector<Score> scores = changing.score(lines);
      for (std::size_t i = 0; i < lines.size(); ++i) {
        EXPECT_EQ(scores[i].log_prob, expected[i].log_prob);
        EXPECT_EQ(scores[i].tokens.size(), tokens ? expected[i].tokens.size() : 0U);
        EXPECT_TRUE(!tokens || (scores[i].tokens.front().entropy > 0) == ranks);
      }
    }
  }
}

TEST(Scorer, ProgressCountsEveryTokenAndMayEndTheCall) {
  const std::vector<std::string> lines = random_lines(90, 40, 3);
  std::int64_t tokens = 0;
  for (const std::string& line : lines) tokens += std::ssize(line) + 1;
  for (const StatePolicy policy : {StatePolicy::kReset, StatePolicy::kCarry}) {
    for (const bool adapts : {false, true}) {
      std::int64_t before = 0;
      std::int64_t last_total = 0;
      ScorerOptions options{.accounting = {.state = policy}, .threads = 1};
      if (adapts) options.adaptation.cache = CacheOptions{.size = 10};
      options.progress = [&](std::int64_t done, std::int64_t total) {
        EXPECT_GT(done, before);
        before = done;
        last_total = total;
      };
      Scorer scorer(tiny_model(Cell::kGru, tiny_characters()), options);
      const std::vector<Score> scores = scorer.score(lines);
      EXPECT_EQ(before, tokens);
      EXPECT_EQ(last_total, tokens);
      EXPECT_EQ(scores.size(), lines.size());
    }
  }
  const auto refuse = [](std::int64_t, std::int64_t) { throw Error(ErrorCode::kUsage, "enough"); };
  Scorer scorer(tiny_model(Cell::kGru, tiny_characters()), {.threads = 1, .progress = refuse});
  EXPECT_THROW(static_cast<void>(scorer.score(lines)), Error);
}

TEST(Scorer, ProbabilitiesOfAllSymbolsSumToOne) {
  for (const Cell cell : all_cells()) {
    Scorer scorer(tiny_model(cell, tiny_characters()));
    State state = scorer.initial_state();
    for (std::int32_t token = 0; token < 13; ++token) {
      double sum = 0;
      for (const double log_prob : scorer.next_log_probs(state)) sum += std::exp(log_prob);
      EXPECT_NEAR(sum, 1, 1e-6);
      (void)scorer.step(state, token);
    }
  }
}

TEST(Scorer, RankEntropyAndSumFollowFromAllLogProbs) {
  Scorer scorer(tiny_model(Cell::kGru, tiny_characters()));
  const Score score = scorer.score("a bad cafe faded");
  State state = scorer.initial_state();
  double sum = 0;
  for (const TokenScore& token : score.tokens) {
    const std::vector<double> log_probs = scorer.next_log_probs(state);
    const double own = log_probs[static_cast<std::size_t>(token.id)];
    double entropy = 0;
    for (const double log_prob : log_probs) entropy -= std::exp(log_prob) * log_prob;
    EXPECT_EQ(token.log_prob, own);
    EXPECT_NEAR(token.entropy, entropy, 1e-6);
    EXPECT_EQ(token.rank, 1 + std::count_if(log_probs.begin(), log_probs.end(), [&](double p) { return p > own; }));
    sum += token.log_prob;
    (void)scorer.step(state, token.id);
  }
  EXPECT_EQ(score.log_prob, sum);
}

TEST(Scorer, NextLogProbsLeaveTheStateAsItIs) {
  Scorer scorer(tiny_model(Cell::kLstm, tiny_characters()));
  State state = scorer.initial_state();
  (void)scorer.step(state, 4);
  const State before = state;
  (void)scorer.next_log_probs(state);
  EXPECT_EQ(state, before);
  State branch = state;
  const double once = scorer.step(state, 5);
  EXPECT_NE(state, branch);
  EXPECT_EQ(scorer.step(branch, 5), once);
  EXPECT_EQ(state, branch);
}

TEST(Scorer, TokensSayWhatTheyAreAndWhereTheyStand) {
  Scorer characters(tiny_model(Cell::kLstm, tiny_characters()));
  const Score score = characters.score("a\xC3\xA9z\xE2\x82\xAC");
  ASSERT_EQ(score.tokens.size(), 5U);
  const std::vector<std::string> texts = {"a", "\xC3\xA9", "z", "\xE2\x82\xAC", "\n"};
  const std::vector<std::int64_t> offsets = {0, 1, 3, 4, 7};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(score.tokens[i].text, texts[i]);
    EXPECT_EQ(score.tokens[i].offset, offsets[i]);
  }
  EXPECT_EQ(score.unknown_tokens, 1);
  EXPECT_EQ(score.tokens[2].id, 0);

  Scorer words(tiny_model(Cell::kLstm, tiny_words()));
  const Score sentence = words.score("the  big cat");
  ASSERT_EQ(sentence.tokens.size(), 4U);
  EXPECT_EQ(sentence.tokens[1].text, "big");
  EXPECT_EQ(sentence.tokens[1].offset, 5);
  EXPECT_EQ(sentence.tokens[3].text, "<eos>");
  EXPECT_EQ(sentence.tokens[3].offset, 12);
  EXPECT_EQ(sentence.unknown_tokens, 1);
}

TEST(Scorer, WithoutEndTheClosingBoundaryIsLeftOut) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  for (const StatePolicy policy : {StatePolicy::kReset, StatePolicy::kCarry}) {
    const std::vector<std::string> lines = {"abc", "", "fed", "a"};
    std::vector<Score> with = Scorer(model, {.accounting = {.state = policy}}).score(lines);
    const std::vector<Score> without = Scorer(model, {.accounting = {.state = policy, .end = false}}).score(lines);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_EQ(with[i].tokens.back().text, "\n");
      with[i].tokens.pop_back();
      EXPECT_EQ(bits(without[i]), bits(with[i]));
    }
    EXPECT_EQ(without[1].tokens.size(), 0U);
    EXPECT_EQ(without[1].log_prob, 0);
  }
}

TEST(Scorer, CarriedLinesAreOneSequence) {
  const std::vector<std::string> lines = random_lines(9, 40, 2);
  for (const Cell cell : all_cells()) {
    const Model model = tiny_model(cell, tiny_characters());
    const ScorerOptions carry = {.accounting = {.state = StatePolicy::kCarry}};
    const std::vector<Score> scores = Scorer(model, carry).score(lines);

    Scorer stepper(model, carry);
    State state = stepper.initial_state();
    for (const Score& score : scores) {
      for (const TokenScore& token : score.tokens) ASSERT_EQ(stepper.step(state, token.id), token.log_prob);
    }
    Scorer one_by_one(model, carry);
    for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(bits(one_by_one.score(lines[i])), bits(scores[i]));

    const std::vector<Score> apart = Scorer(model).score(lines);
    EXPECT_EQ(bits(apart[0]), bits(scores[0]));
    EXPECT_NE(bits(apart[1]), bits(scores[1]));
  }
}

TEST(Scorer, LinesInBracesAreLines) {
  Scorer scorer(tiny_model(Cell::kLstm, tiny_characters()));
  const std::vector<Score> scores = scorer.score({"ab", "c"});
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_EQ(bits(scores[1]), bits(scorer.score("c")));
}

TEST(Scorer, NoLinesGiveNoScores) {
  Scorer scorer(tiny_model(Cell::kLstm, tiny_characters()));
  EXPECT_TRUE(scorer.score(std::span<const std::string>()).empty());
}

TEST(Scorer, ErrorsHoldTheIndexOfTheFirstLineToBlame) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  for (const StatePolicy policy : {StatePolicy::kReset, StatePolicy::kCarry}) {
    Scorer scorer(model, {.accounting = {.state = policy}});
    const std::vector<std::string> lines{"abc", "ab", "a\xFF", "b\xFF"};
    EXPECT_EQ(error_of([&] { (void)scorer.score(lines); })->index(), 2);
    // Those before it can be scored all the same.
    const std::span<const std::string> readable = std::span(lines).first(2);
    EXPECT_EQ(bits(scorer.score(readable)), bits(Scorer(model, {.accounting = {.state = policy}}).score(readable)));
  }
}

TEST(Scorer, OfLinesThatOverflowTheFirstIsToBlameWhateverTheirLengths) {
  const NetworkConfig config = tiny_config(Cell::kRnnRelu, tiny_characters());
  Scorer wild(model_of(config, tiny_characters(), random_parameters(config, 1e30F, 3)));
  const std::optional<Error> error = error_of([&] { (void)wild.score({"ab", "abcabcabcabc", "abc"}); });
  EXPECT_EQ(error->code(), ErrorCode::kNumeric);
  EXPECT_EQ(error->index(), 0);
}

TEST(Scorer, ALineHasALengthWhateverCounts) {
  const Model model = tiny_model(Cell::kGru, tiny_words());
  for (const bool tokens : {false, true}) {
    Scorer all(model, {.tokens = tokens});
    EXPECT_EQ(all.score("the zebra sees").length, 4);
    Scorer known(model, {.accounting = {.end = false, .unknown = UnknownPolicy::kSkip}, .tokens = tokens});
    EXPECT_EQ(known.score("the zebra sees").length, 3);
    EXPECT_EQ(known.score("the zebra sees").predictions, 2);
  }
}

TEST(Scorer, RefusedLinesAreNamedAndChangeNothing) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  Scorer scorer(model, {.accounting = {.state = StatePolicy::kCarry}});
  const std::vector<std::string> broken = {"abc",
                                           "a\xFF"
                                           "b"};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 42", [&] {
    (void)scorer.score(broken, [](std::size_t index) { return "line " + std::to_string(41 + index); });
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "byte 2", [&] { (void)scorer.score("ab\ncd"); }));
  EXPECT_EQ(bits(scorer.score("abc")), bits(Scorer(model).score("abc")));
}

TEST(Scorer, RefusesStatesAndSymbolsOfOtherModels) {
  Scorer scorer(tiny_model(Cell::kGru, tiny_characters()));
  Scorer other(tiny_model(Cell::kLstm, tiny_characters()));
  State state = scorer.initial_state();
  State foreign = other.initial_state();
  const auto expect_usage = [&](const std::function<void()>& action) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "", action));
  };
  expect_usage([&] { (void)scorer.step(foreign, 1); });
  expect_usage([&] { (void)other.next_log_probs(state); });
  expect_usage([&] { (void)scorer.step(state, 13); });
  expect_usage([&] { (void)scorer.step(state, -1); });
  state.input = 13;
  expect_usage([&] { (void)scorer.next_log_probs(state); });
  expect_usage([&] { Scorer(tiny_model(Cell::kGru, tiny_characters()), {.threads = -1}); });
}

TEST(Scorer, OverflowingNetworksAreReported) {
  const Tokenizer tokenizer = tiny_characters();
  const NetworkConfig config = tiny_config(Cell::kRnnRelu, tokenizer);
  Scorer scorer(model_of(config, tokenizer, random_parameters(config, 50, 3)));
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "line 1", [&] { (void)scorer.score(std::string(400, 'a')); }));

  State state = scorer.initial_state();
  state.h.assign(state.h.size(), 3e38F);
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "overflowed", [&] { (void)scorer.step(state, 1); }));
  EXPECT_EQ(state.input, scorer.initial_state().input);
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "overflowed", [&] { (void)scorer.next_log_probs(state); }));
}

TEST(Scorer, WithoutTokensTheLineScoresTheSameBits) {
  const std::vector<std::string> lines{"abc def", "", "hhh"};
  for (const StatePolicy state : {StatePolicy::kReset, StatePolicy::kCarry}) {
    for (const bool end : {true, false}) {
      Scorer with(tiny_model(Cell::kLstm, tiny_characters()),
                  {.accounting = {.state = state, .end = end}, .tokens = true, .threads = 1});
      Scorer without(tiny_model(Cell::kLstm, tiny_characters()),
                     {.accounting = {.state = state, .end = end}, .tokens = false, .threads = 1});
      const std::vector<Score> expected = with.score(lines);
      const std::vector<Score> scores = without.score(lines);
      for (std::size_t i = 0; i < lines.size(); ++i) {
        EXPECT_EQ(scores[i].log_prob, expected[i].log_prob);
        EXPECT_EQ(scores[i].predictions, std::ssize(expected[i].tokens));
        EXPECT_TRUE(scores[i].tokens.empty());
      }
    }
  }
}

}  // namespace
}  // namespace unroll
