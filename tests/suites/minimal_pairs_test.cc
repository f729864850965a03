#include "unroll/suites/minimal_pairs.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/error.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

class MinimalPairs : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    write_bytes(folder_.path(name), content);
    return folder_.path(name);
  }

  void refuses(const std::string& name, const std::string& content, const std::string& words) {
    const std::string path = write(name, content);
    EXPECT_TRUE(fails_with(ErrorCode::kInput, words, [&] { static_cast<void>(read_minimal_pairs(path)); })) << content;
  }

  TemporaryFolder folder_;
};

TEST_F(MinimalPairs, BlimpsLinesAreRead) {
  const auto pairs =
      read_minimal_pairs(write("a.jsonl", R"({"sentence_good": "the cat", "sentence_bad": "cat the", "field": "x",)"
                                          R"( "linguistics_term": "order", "UID": "words", "pairID": "0"})"
                                          "\r\n\n"
                                          R"({"sentence_bad": "b", "sentence_good": "a"})"));
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].good, "the cat");
  EXPECT_EQ(pairs[0].bad, "cat the");
  EXPECT_EQ(pairs[0].paradigm, "words");
  EXPECT_EQ(pairs[0].phenomenon, "order");
  EXPECT_EQ(pairs[1].good, "a");
  EXPECT_EQ(pairs[1].paradigm, "a");
  EXPECT_EQ(pairs[1].phenomenon, "");
}

TEST_F(MinimalPairs, ColumnsAreRead) {
  const auto pairs = read_minimal_pairs(write("my.pairs.tsv", "a b\tb a\r\nc\td\tother\n"));
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].bad, "b a");
  EXPECT_EQ(pairs[0].paradigm, "my.pairs");
  EXPECT_EQ(pairs[1].paradigm, "other");
}

TEST_F(MinimalPairs, AByteOrderMarkIsNotRead) {
  EXPECT_EQ(read_minimal_pairs(write("a.tsv", "\xEF\xBB\xBFone\ttwo\n"))[0].good, "one");
  EXPECT_EQ(
      read_minimal_pairs(write("a.jsonl", "\xEF\xBB\xBF{\"sentence_good\": \"a\", \"sentence_bad\": \"b\"}\n"))[0].good,
      "a");
  const std::string path = write("b.tsv", "\xFE\xFF");
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "UTF-16", [&] { static_cast<void>(read_minimal_pairs(path)); }));
}

TEST_F(MinimalPairs, WhatIsWrongIsToldWithItsLine) {
  refuses("x.tsv", "a\tb\nonly one\n", "line 2: 1 column:");
  refuses("x.tsv", "a\tb\tc\td\n", "line 1: 4 columns:");
  refuses("x.tsv", "\tb\n", "line 1: the acceptable sentence is empty");
  refuses("x.tsv", "\n\n", "holds no pairs");
  refuses("x.jsonl", "{\"sentence_good\": \"a\"}\n", "line 1: the key sentence_bad is missing");
  refuses("x.jsonl", "{\"sentence_good\": \"a\", \"sentence_bad\": 3}\n", "line 1: sentence_bad is not a string");
  refuses("x.jsonl", "{\"sentence_good\": \"a\\nb\", \"sentence_bad\": \"c\"}\n",
          "line 1: the acceptable sentence holds");
  refuses("x.jsonl", "[1, 2]\n", "line 1: expected a JSON object");
  refuses("x.jsonl", "\n{\"sentence_good\": \"a\"", "line 2");
}

TEST_F(MinimalPairs, EachSentenceScoresAsByItself) {
  const Model model = tiny_model(Cell::kLstm, tiny_words());
  std::vector<MinimalPair> pairs;
  for (int i = 0; i < 600; ++i) {  // more than are scored at once
    pairs.push_back(
        {.good = i % 2 == 0 ? "the cat sees the old dog" : "cat", .bad = "the the", .paradigm = "p", .phenomenon = ""});
  }
  pairs.push_back({.good = "the horse", .bad = "the zebra", .paradigm = "p", .phenomenon = ""});
  const std::vector<PairScore> scores = score_pairs(model, pairs);
  ASSERT_EQ(scores.size(), pairs.size());
  Scorer scorer(model);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double good = scorer.score(pairs[i].good).log_prob;
    const double bad = scorer.score(pairs[i].bad).log_prob;
    ASSERT_EQ(scores[i].good.log_prob, good) << i;
    ASSERT_EQ(scores[i].bad.log_prob, bad) << i;
    ASSERT_EQ(scores[i].correct(), good > bad) << i;
  }
  EXPECT_EQ(scores[0].good.tokens, 7);
  const PairScore without_end = score_pairs(model, std::span(pairs).first(1), {.end = false}).front();
  EXPECT_EQ(without_end.good.log_prob, Scorer(model, {.accounting = {.end = false}}).score(pairs[0].good).log_prob);
  EXPECT_EQ(without_end.good.tokens, 6);
  EXPECT_FALSE(scores[0].unknown());
  // Two words that the model does not know are one symbol to it.
  EXPECT_TRUE(scores.back().tie());
  EXPECT_FALSE(scores.back().correct());
  EXPECT_TRUE(scores.back().unknown());
}

TEST_F(MinimalPairs, ASentenceThatCannotBeReadIsNamed) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const std::vector<MinimalPair> pairs = {{.good = "abc", .bad = "abd", .paradigm = "p", .phenomenon = ""},
                                          {.good = "ab",
                                           .bad = "b\xff"
                                                  "a",
                                           .paradigm = "p",
                                           .phenomenon = ""}};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "the sentence \"b", [&] { static_cast<void>(score_pairs(model, pairs)); }));
}

// Where the first token is given, a pair compares what follows it, so it has to be the same one.
TEST(ScorePairs, OfAModelThatPredictsNoFirstTokenShareIt) {
  const Tokenizer tokenizer = tiny_words();
  const NetworkConfig config = tiny_config(Cell::kLstm, tokenizer);
  const Model model(std::make_shared<const Model::Data>(
      Model::Data{config, tokenizer, {}, ModelWeights(random_parameters(config, 0.7F, 3)), BeginPolicy::kNone}));
  const std::vector<MinimalPair> same = {
      {.good = "the cat sees", .bad = "the dog sees", .paradigm = "p", .phenomenon = {}, .place = "line 1"}};
  const std::vector<PairScore> scores = score_pairs(model, same, {.threads = 1});
  EXPECT_EQ(scores[0].good.tokens, 3);
  EXPECT_EQ(scores[0].good.log_prob, Scorer(model, {.threads = 1}).score("the cat sees").log_prob);
  const std::vector<MinimalPair> other = {
      {.good = "the cat", .bad = "old cat", .paradigm = "p", .phenomenon = {}, .place = "line 2"}};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 2: the sentences begin with different tokens",
                         [&] { (void)score_pairs(model, other, {.threads = 1}); }));
}

}  // namespace
}  // namespace unroll
