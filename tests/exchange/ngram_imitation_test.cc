#include "unroll/ngram/imitation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "ngram/arpa_reader.h"
#include "ngram/arpa_writer.h"
#include "ngram/backoff.h"
#include "ngram/prune.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/error.h"
#include "unroll/ngram/ngram.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

const std::vector<std::string> kLines{
    "the cat sees the dog", "old dog", "the old cat and the dog sees", "fish", "", "the cat sees the old fish",
    "and the cat",          "dog dog"};

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// The sum over the file's words but "<s>".
double sum_after(const Ngram& ngram, const NgramState& state) {
  double sum = 0;
  for (std::int32_t word = 0; word < ngram.size(); ++word) {
    NgramState asked = state;
    if (ngram.word(word) != "<s>") sum += std::exp(ngram.log_prob(asked, word));
  }
  return sum;
}

// Predictions that differ much from one context to another.
Model decided_model() {
  const NetworkConfig config = tiny_config(Cell::kLstm, tiny_words());
  return model_of(config, tiny_words(), random_parameters(config, 3, 3));
}

class Imitating : public testing::Test {
 protected:
  Imitating() : model_(tiny_model(Cell::kLstm, tiny_words())) {}

  Ngram imitated(ImitationOptions options, Imitation* told = nullptr) {
    const std::string path = folder_.path("n.arpa");
    const Imitation result = imitate(model_, options, path);
    if (told != nullptr) *told = result;
    return Ngram::load(path);
  }

  TemporaryFolder folder_;
  Model model_;
};

TEST_F(Imitating, BigramsAreTheMeanOfWhatTheNetworkPredicts) {
  Imitation told;
  const Ngram ngram = imitated({.order = 2, .text = NamedText{text_of(kLines), "text"}, .prune = 0}, &told);
  // The last line is held out: all others are learned from.
  const Tokenizer& words = model_.tokenizer();
  Scorer scorer(model_, {.threads = 1});
  State state = scorer.initial_state();
  std::map<std::int32_t, std::vector<double>> sums;  // by context; the boundary stands for the line's start
  std::map<std::int32_t, double> places;
  std::vector<double> unigrams(8);
  double learned = 0;
  for (std::size_t i = 0; i + 1 < kLines.size(); ++i) {
    std::vector<Token> tokens = words.encode_line({kLines[i], "line"});
    tokens.push_back({.id = words.boundary()});
    std::int32_t context = words.boundary();
    for (const Token& token : tokens) {
      const std::vector<double> log_probs = scorer.next_log_probs(state);
      std::vector<double>& sum = sums[context];
      sum.resize(8);
      for (std::size_t id = 0; id < 8; ++id) {
        sum[id] += std::exp(log_probs[id]);
        unigrams[id] += std::exp(log_probs[id]);
      }
      ++places[context];
      ++learned;
      scorer.step(state, token.id);
      context = token.id;
    }
  }
  EXPECT_EQ(told.tokens, static_cast<std::int64_t>(learned));
  EXPECT_EQ(told.held_out, 3);
  for (const auto& [context, sum] : sums) {
    NgramState before = ngram.begin();
    if (context != words.boundary()) ngram.read(before, ngram.id(words.symbol(context)));
    for (std::int32_t id = 0; id < 8; ++id) {
      const auto index = static_cast<std::size_t>(id);
      const double expected = (sum[index] + 5 * unigrams[index] / learned) / (places[context] + 5);
      // A tiny network with so few words gives each more than 0.01, so that all are listed.
      NgramState asked = before;
      const std::string word = id == words.boundary() ? "</s>" : words.symbol(id);
      EXPECT_NEAR(std::exp(ngram.log_prob(asked, ngram.id(word))), expected, 1e-5 * expected) << context << " " << word;
    }
  }
}

TEST_F(Imitating, EveryContextSumsToOneBeforeAndAfterPruning) {
  model_ = decided_model();
  for (const double prune : {0.0, 1e-5, 1e-3, 1.0}) {
    Imitation told;
    const Ngram ngram = imitated({.order = 4, .tokens = 3000, .prune = prune}, &told);
    EXPECT_LE(told.largest_sum_error, 1e-6);
    EXPECT_EQ(ngram.sums().wrong, 0);
    EXPECT_GT(ngram.sums().contexts, 0);
    for (std::uint32_t i = 0; i < 200; ++i) {
      NgramState state = i % 2 == 0 ? ngram.begin() : NgramState{};
      for (std::uint32_t j = 0; j < 4; ++j) {
        EXPECT_NEAR(sum_after(ngram, state), 1, 1e-6);
        const auto word = random_words(3, i, RandomPurpose::kTestPoint, 0, j, 0)[0] % 9;
        ngram.read(state, static_cast<std::int32_t>(word));
      }
    }
    EXPECT_EQ(told.ngrams.front(), told.before_pruning.front());
    EXPECT_TRUE(prune != 0 || told.ngrams == told.before_pruning);
    // Of a weak model the 1-grams are left, and no sections without n-grams.
    EXPECT_EQ(ngram.order(), std::ssize(told.ngrams));
    EXPECT_LE(told.ngrams.size(), prune == 1 ? 1U : 4U);
    EXPECT_GT(told.ngrams.back(), 0);
  }
}

TEST_F(Imitating, MoreOfTheContextPredictsMoreLikeTheNetwork) {
  model_ = decided_model();
  std::vector<double> perplexities;
  for (const std::int64_t order : {1, 2, 3}) {
    Imitation told;
    static_cast<void>(imitated({.order = order, .tokens = 30000, .prune = 0}, &told));
    perplexities.push_back(told.ngram_perplexity);
    EXPECT_GT(told.ngram_perplexity, told.network_perplexity);
  }
  EXPECT_LT(perplexities[1], perplexities[0]);
  EXPECT_LT(perplexities[2], perplexities[1]);
}

TEST_F(Imitating, APerplexityIsFiniteThoughAProbabilityIsTooSmallForAFloat) {
  const NetworkConfig config = tiny_config(Cell::kLstm, tiny_words());
  Parameters parameters = random_parameters(config, 0.7F, 3);
  parameters.decoder_bias()[3] = 120;
  model_ = model_of(config, tiny_words(), std::move(parameters));
  Imitation told;
  static_cast<void>(imitated({.order = 2, .text = NamedText{text_of(kLines), "text"}, .prune = 0}, &told));
  EXPECT_TRUE(std::isfinite(told.network_perplexity));
  EXPECT_GT(told.network_perplexity, 1e40);
}

TEST_F(Imitating, TheFileDependsOnTheSeedButNotOnThreads) {
  std::vector<std::string> files;
  for (const auto& [seed, threads] : {std::pair(1, 1), std::pair(1, 3), std::pair(2, 1)}) {
    static_cast<void>(imitated({.tokens = 5000, .seed = static_cast<std::uint64_t>(seed), .threads = threads}));
    files.push_back(bytes_of(folder_.path("n.arpa")));
  }
  EXPECT_EQ(files[0], files[1]);
  EXPECT_NE(files[0], files[2]);
}

TEST_F(Imitating, AFileIsReadAsTheTableThatWasWritten) {
  static_cast<void>(imitated({.order = 3, .tokens = 2000, .prune = 1e-4}));
  const std::string path = folder_.path("n.arpa");
  EXPECT_EQ(as_arpa(read_arpa(path).table), bytes_of(path));
}

TEST_F(Imitating, PruningTakesWhatCostsLeast) {
  model_ = decided_model();
  static_cast<void>(imitated({.order = 2, .tokens = 3000, .prune = 0}));
  const NgramTable table = read_arpa(folder_.path("n.arpa")).table;
  const auto begin = static_cast<std::uint32_t>(table.words.size() - 1);
  // One bigram at a time in plain loops, by the definition of the divergence: the sum of p ln(p / q) after its context.
  const std::size_t V = table.words.size();
  const ContextShares shares{std::vector<double>(V, 1.0 / static_cast<double>(V))};
  constexpr double kThreshold = 1e-5;
  const NgramTable less = pruned(table, shares, kThreshold, begin);
  std::size_t kept = 0;
  for (std::uint32_t context = 0; context < V; ++context) {
    const std::vector<std::uint32_t>& extent = table.levels[0].extent;
    for (std::uint32_t i = extent[context]; i < extent[context + 1]; ++i) {
      NgramTable without = table;
      NgramLevel& level = without.levels[1];
      level.words.erase(level.words.begin() + i);
      level.log_probs.erase(level.log_probs.begin() + i);
      for (std::uint32_t later = context + 1; later <= V; ++later) --without.levels[0].extent[later];
      weigh(without, begin);
      double divergence = 0;
      const std::vector<std::uint32_t> node{context};
      for (std::uint32_t word = 0; word < V; ++word) {
        if (word == begin) continue;
        const double log_p = std::log(10) * table.log_prob(node, word);
        divergence += std::exp(log_p) * (log_p - std::log(10) * without.log_prob(node, word));
      }
      const double change = std::expm1(divergence / static_cast<double>(V));
      const bool stays = less.find(1, context, table.levels[1].words[i]) != kNoNode;
      EXPECT_TRUE(std::abs(change - kThreshold) < 1e-8 || stays == (change >= kThreshold));
      kept += stays ? 1 : 0;
    }
  }
  EXPECT_GT(kept, 0);
  EXPECT_LT(kept, table.levels[1].words.size());
}

TEST_F(Imitating, WhatCannotBeImitatedIsRefused) {
  const auto refused = [&](const Model& model, const ImitationOptions& options, ErrorCode code, const char* part) {
    return fails_with(code, part, [&] { imitate(model, options, folder_.path("x.arpa")); });
  };
  EXPECT_TRUE(refused(model_, {.order = 0}, ErrorCode::kUsage, "order"));
  EXPECT_TRUE(refused(model_, {.tokens = 0}, ErrorCode::kUsage, "`tokens` is 0"));
  EXPECT_TRUE(refused(model_, {.prune = -1}, ErrorCode::kUsage, "`prune` is -1"));
  EXPECT_TRUE(refused(tiny_model(Cell::kLstm, tiny_characters()), {}, ErrorCode::kUsage, "tokenizer is char"));
  EXPECT_TRUE(refused(model_, {.text = NamedText{"the cat\n", "'t'"}}, ErrorCode::kInput, "'t' has less than two"));
  const Tokenizer marked =
      Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, {"<unk>", "<eos>", "<s>", "cat"});
  EXPECT_TRUE(refused(tiny_model(Cell::kLstm, marked), {}, ErrorCode::kUsage, "<s> is a word"));
  const Tokenizer closed = Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, {"<eos>", "the", "cat"});
  EXPECT_TRUE(refused(tiny_model(Cell::kLstm, closed), {}, ErrorCode::kUsage, "<unk>"));
  const Tokenizer endless = Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, {"<unk>", "the", "cat"});
  EXPECT_TRUE(refused(tiny_model(Cell::kLstm, endless), {}, ErrorCode::kUsage, "the end of a line"));
  EXPECT_TRUE(refused(stubborn_model(tiny_words(), 3), {.tokens = 100}, ErrorCode::kInput, "no line ends"));
}

}  // namespace
}  // namespace unroll
