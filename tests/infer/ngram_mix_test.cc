#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "infer/ngram_mixture.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_model.h"
#include "unroll/adapt/tune.h"
#include "unroll/error.h"
#include "unroll/evaluate.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

// Trigrams over some of the words of tiny_words(), and over one that it lacks, "bird". They lack "old" and "and".
constexpr const char* kTrigrams = R"(\data\
ngram 1=8
ngram 2=5
ngram 3=1

\1-grams:
-99	<s>	-0.2
-0.5	</s>
-1.0	<unk>
-0.6	the	-0.3
-0.9	cat	-0.1
-1.1	dog
-1.3	sees
-1.4	bird	-0.4

\2-grams:
-0.3	<s> the
-0.5	the cat	-0.05
-0.7	the bird
-0.2	cat </s>
-0.4	bird sees

\3-grams:
-0.4	the cat the

\end\
)";

class NgramMixing : public testing::Test {
 protected:
  NgramMixing() : ngram_(loaded(kTrigrams)), model_(tiny_model(Cell::kLstm, tiny_words())) {
    // One that takes several windows, whose trigrams stand at every place of these.
    std::string line = "the";
    for (int i = 0; i < 100; ++i) line += i % 3 == 0 ? " cat" : " the";
    lines_.push_back(line);
    for (const std::string& each : lines_) text_ += each + "\n";
  }

  Ngram loaded(const std::string& text) {
    const std::string path = folder_.path("n.arpa");
    write_bytes(path, text);
    return Ngram::load(path);
  }
  // kTrigrams with `before`, which must be in it, replaced.
  static std::string changed(const std::string& before, const std::string& after) {
    std::string text = kTrigrams;
    return text.replace(text.find(before), before.size(), after);
  }
  [[nodiscard]] ScorerOptions options(double lambda, StatePolicy state = StatePolicy::kReset, int threads = 1) const {
    return {.accounting = {.state = state}, .threads = threads, .ngram = NgramMix{ngram_, lambda}};
  }

  TemporaryFolder folder_;
  Ngram ngram_;
  Model model_;
  std::vector<std::string> lines_{"the cat sees the dog", "", "old bird and the fish sees", "dog dog dog",
                                  "the old cat",          "x"};
  std::string text_;
};

double total(const std::vector<Score>& scores) {
  return std::accumulate(scores.begin(), scores.end(), 0.0,
                         [](double sum, const Score& score) { return sum + score.log_prob; });
}

void expect_same_bits(const std::vector<Score>& some, const std::vector<Score>& others) {
  ASSERT_EQ(some.size(), others.size());
  for (std::size_t i = 0; i < some.size(); ++i) {
    EXPECT_EQ(some[i].log_prob, others[i].log_prob);
    ASSERT_EQ(some[i].tokens.size(), others[i].tokens.size());
    for (std::size_t t = 0; t < some[i].tokens.size(); ++t) {
      EXPECT_EQ(some[i].tokens[t].log_prob, others[i].tokens[t].log_prob);
      EXPECT_EQ(some[i].tokens[t].rank, others[i].tokens[t].rank);
      EXPECT_EQ(some[i].tokens[t].entropy, others[i].tokens[t].entropy);
    }
  }
}

TEST_F(NgramMixing, TheNgramsSumOverTheNetworksWordsToWhatTheFileSumsTo) {
  const NgramMixture mixture({ngram_, 0.5}, model_.tokenizer());
  NgramState state = mixture.begin();
  NgramState in_file = ngram_.begin();
  const Tokenizer& words = model_.tokenizer();
  for (const char* word : {"the", "cat", "<eos>", "the", "<unk>", "old", "sees", "dog"}) {
    std::vector<double> listed(static_cast<std::size_t>(ngram_.size()));
    ngram_.probabilities(in_file, listed);
    const std::vector<double> all = mixture.probabilities(state);
    const auto p = [&](const char* of) { return listed[static_cast<std::size_t>(ngram_.id(of))]; };
    EXPECT_NEAR(std::accumulate(all.begin(), all.end(), 0.0),
                std::accumulate(listed.begin(), listed.end(), 0.0) - p("<s>"), 1e-12);
    // "<unk>" of the file is shared by old, and, and <unk>, which takes "bird" besides.
    EXPECT_NEAR(all[6], p("<unk>") / 3, 1e-15);
    EXPECT_NEAR(all[7], p("<unk>") / 3, 1e-15);
    EXPECT_NEAR(all[0], p("<unk>") / 3 + p("bird"), 1e-15);
    EXPECT_NEAR(all[1], p("</s>"), 1e-15);
    EXPECT_NEAR(all[4], p("dog"), 1e-15);
    for (std::int32_t id = 0; id < words.size(); ++id) {
      NgramState asked = state;
      EXPECT_NEAR(std::exp(mixture.log_prob(asked, id)), all[static_cast<std::size_t>(id)], 1e-12);
    }
    std::int32_t id = 0;
    while (words.symbol(id) != word) ++id;
    mixture.read(state, id);
    if (id == words.boundary()) {
      in_file = ngram_.begin();
    } else {
      ngram_.read(in_file, ngram_.id(word) < 0 ? ngram_.unknown() : ngram_.id(word));
    }
    EXPECT_EQ(state, in_file);
  }
}

TEST_F(NgramMixing, WhatAFileListsForALinesStartCountsForNothing) {
  const Ngram of_kenlm = loaded(changed("-99\t<s>", "0\t<s>"));
  const NgramMixture mixture({ngram_, 0.5}, model_.tokenizer());
  const NgramMixture other({of_kenlm, 0.5}, model_.tokenizer());
  for (const std::int32_t word : {2, 5, 0}) {
    NgramState state = mixture.begin();
    mixture.read(state, word);
    EXPECT_EQ(other.probabilities(state), mixture.probabilities(state));
    NgramState same = state;
    EXPECT_EQ(other.log_prob(state, 0), mixture.log_prob(same, 0));
  }
  const Tokenizer with_mark =
      Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, {"<unk>", "<eos>", "<s>", "cat"});
  const std::vector<double> p = NgramMixture({of_kenlm, 0.5}, with_mark).probabilities({});
  EXPECT_NEAR(p[2], 0.1 / 2, 1e-8);  // a share of "<unk>"
}

TEST_F(NgramMixing, AVocabularyWithoutUnkOrLineEndIsRefused) {
  for (const char* missing : {"<unk>", "<eos>"}) {
    std::vector<std::string> symbols{"<unk>", "<eos>", "the", "cat"};
    std::erase(symbols, missing);
    const Tokenizer tokenizer = Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, symbols);
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, std::string("this model's vocabulary has no ") + missing, [&] {
      (void)NgramMixture({ngram_, 0.5}, tokenizer);
    }));
  }
}

TEST_F(NgramMixing, WeightsThatMakeMoreThanOneAreRefused) {
  ngram_ = loaded(changed("cat\t-0.1", "cat\t3"));
  const auto refused = [&](const char* part, double lambda, const std::string& line) {
    return fails_with(ErrorCode::kInput, part, [&] { static_cast<void>(Scorer(model_, options(lambda)).score(line)); });
  };
  EXPECT_TRUE(refused("n.arpa' give the word \"sees\" a probability of more than 1", 0.5, "the cat sees"));
  EXPECT_TRUE(refused("the word \"<unk>\"", 0.9, "the cat x"));
  EXPECT_TRUE(refused("the word \"<unk>\"", 0, "the cat x"));
  EXPECT_NO_THROW(static_cast<void>(Scorer(model_, options(0.5)).score("the dog sees")));
}

// As for a line that cannot be read, the lines before it can be answered.
TEST_F(NgramMixing, ALineThatIsRefusedIsNamedAndLeavesOthersTheirScores) {
  ngram_ = loaded(changed("cat\t-0.1", "cat\t3"));
  const std::vector<std::string> lines{"dog dog dog dog dog", "the dog sees", "the cat sees", "dog the cat sees"};
  for (const double lambda : {0.0, 0.9}) {
    for (const StatePolicy state : {StatePolicy::kReset, StatePolicy::kCarry}) {
      Scorer scorer(model_, options(lambda, state));
      const auto error = error_of([&] { static_cast<void>(scorer.score(lines)); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->code(), ErrorCode::kInput);
      EXPECT_EQ(error->index(), 2);
      EXPECT_NE(std::string(error->what()).find("line 3, symbol 3: the n-grams"), std::string::npos) << error->what();
      EXPECT_EQ(scorer.score(std::span(lines).first(2)).size(), 2U);
    }
  }
  const std::string text = "dog\nthe cat sees\n";
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "t.txt, line 2: the n-grams", [&] {
    static_cast<void>(evaluate(model_, {text, "t.txt"}, {.ngram = NgramMix{ngram_, 0.5}}));
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "t.txt, line 2: the n-grams", [&] {
    static_cast<void>(
        tune(model_, {text, "t.txt"}, {.temperature = false, .cache = false, .dynamic = false, .ngram = ngram_}));
  }));
}

// A text that spells out its unknown words gives them to the network and to the n-grams as a word.
TEST_F(NgramMixing, AWordOfBothThatReadsUnkIsThatWord) {
  const Ngram spelled = loaded(changed("-1.0\t<unk>", "-1.0\t<UNK>"));
  const auto words = [](const std::vector<std::string>& symbols) {
    return Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, symbols);
  };
  const auto p = [&](const Tokenizer& tokenizer) { return NgramMixture({spelled, 0.5}, tokenizer).probabilities({}); };
  const std::vector<double> known = p(words({"<unk>", "<eos>", "<UNK>", "cat", "old"}));
  const double others = std::pow(10, -0.6) + std::pow(10, -1.1) + std::pow(10, -1.3) + std::pow(10, -1.4);
  EXPECT_NEAR(known[2], 0.1, 1e-8);
  EXPECT_NEAR(known[0], others, 1e-7);  // the, dog, sees and bird
  EXPECT_EQ(known[4], 0);
  const std::vector<double> unknown = p(words({"<unk>", "<eos>", "cat", "old"}));
  EXPECT_NEAR(unknown[3], 0.1 / 2, 1e-8);
  EXPECT_NEAR(unknown[0], others + 0.1 / 2, 1e-7);
}

TEST_F(NgramMixing, LogProbabilitiesDoNotDependOnRanks) {
  NetworkConfig config = tiny_config(Cell::kLstm, tiny_words());
  config.hidden = 16;
  config.cutoffs = {3, 5};
  for (const Model& model : {model_, model_of(config, tiny_words(), random_parameters(config, 0.7F, 3))}) {
    for (const double temperature : {1.0, 1.2}) {
      ScorerOptions without = options(0.4);
      without.adaptation.temperature = temperature;
      ScorerOptions with = without;
      without.ranks = false;
      with.ranks = true;
      const std::vector<Score> plain = Scorer(model, without).score(lines_);
      const std::vector<Score> ranked = Scorer(model, with).score(lines_);
      for (std::size_t i = 0; i < lines_.size(); ++i) {
        for (std::size_t t = 0; t < plain[i].tokens.size(); ++t) {
          EXPECT_EQ(ranked[i].tokens[t].log_prob, plain[i].tokens[t].log_prob);
          EXPECT_GE(ranked[i].tokens[t].rank, 1);
        }
      }
    }
  }
}

TEST_F(NgramMixing, EachTokenIsTheWeighedSumOfBoth) {
  const std::vector<Score> network = Scorer(model_).score(lines_);
  const std::vector<Score> ngrams = Scorer(model_, options(0)).score(lines_);
  const std::vector<Score> mixed = Scorer(model_, options(0.3)).score(lines_);
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    for (std::size_t t = 0; t < network[i].tokens.size(); ++t) {
      const double p = 0.3 * std::exp(network[i].tokens[t].log_prob) + 0.7 * std::exp(ngrams[i].tokens[t].log_prob);
      EXPECT_NEAR(mixed[i].tokens[t].log_prob, std::log(p), 1e-12);
    }
  }
  EXPECT_NEAR(ngrams[0].tokens[0].log_prob, std::log(10) * -0.3, 1e-6);
  EXPECT_NEAR(ngrams[0].tokens[2].log_prob, std::log(10) * (-0.05 - 0.1 - 1.3), 1e-6);
}

// Every word at one place, by lines that differ in it: these sum to 1, and rank and entropy are those of the mixture.
TEST_F(NgramMixing, RankAndEntropyAreThoseOfTheMixture) {
  const Tokenizer& words = model_.tokenizer();
  Scorer scorer(model_, options(0.4));
  std::vector<double> p;
  std::vector<TokenScore> tokens;
  for (const char* word : {"fish", "", "the", "cat", "dog", "sees", "old", "and"}) {
    const Score score = scorer.score("the cat " + std::string(word));
    tokens.push_back(score.tokens[2]);
    p.push_back(std::exp(tokens.back().log_prob));
  }
  // The file's own sum after "cat" is not 1: 0.4 of the network's mass, and 0.6 of it.
  const NgramMixture mixture({ngram_, 0.4}, words);
  NgramState state = mixture.begin();
  for (const std::int32_t id : {2, 3}) mixture.read(state, id);
  const std::vector<double> of_ngram = mixture.probabilities(state);
  EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0),
              0.4 + 0.6 * std::accumulate(of_ngram.begin(), of_ngram.end(), 0.0), 1e-6);
  double entropy = 0;
  for (const double one : p) entropy -= one * std::log(one);
  for (std::size_t i = 0; i < p.size(); ++i) {
    EXPECT_NEAR(tokens[i].entropy, entropy, 1e-6);
    EXPECT_EQ(tokens[i].rank, 1 + std::ranges::count_if(p, [&](double other) { return other > p[i]; }));
  }
}

TEST_F(NgramMixing, EvaluationIsTheSumOfScoresWhateverElseIsOn) {
  Adaptation cached;
  cached.cache = CacheOptions{.size = 10, .theta = 0.3, .weight = 0.2};
  Adaptation warm{.temperature = 1.2};
  for (const Adaptation& adaptation : {Adaptation{}, cached, warm}) {
    for (const StatePolicy state : {StatePolicy::kReset, StatePolicy::kCarry}) {
      for (const bool ranks : {false, true}) {
        ScorerOptions of_lines = options(0.6, state);
        of_lines.adaptation = adaptation;
        of_lines.ranks = ranks;
        const Evaluation whole =
            evaluate(model_, {text_, "text"},
                     {.state = state, .exact = true, .adaptation = adaptation, .ngram = NgramMix{ngram_, 0.6}});
        const double sum = total(Scorer(model_, of_lines).score(lines_));
        EXPECT_NEAR(whole.nats_per_token * static_cast<double>(whole.tokens), -sum, 1e-12 * std::abs(sum));
      }
    }
  }
}

TEST_F(NgramMixing, ALambdaOfOneChangesNoBit) {
  for (const StatePolicy state : {StatePolicy::kReset, StatePolicy::kCarry}) {
    expect_same_bits(Scorer(model_, options(1, state)).score(lines_),
                     Scorer(model_, {.accounting = {.state = state}}).score(lines_));
  }
  const Evaluation plain = evaluate(model_, {text_, "text"});
  EXPECT_EQ(evaluate(model_, {text_, "text"}, {.ngram = NgramMix{ngram_, 1}}).nats_per_token, plain.nats_per_token);
}

TEST_F(NgramMixing, BitsDependNeitherOnThreadsNorOnWhatStandsBeside) {
  const std::vector<Score> together = Scorer(model_, options(0.5)).score(lines_);
  expect_same_bits(Scorer(model_, options(0.5, StatePolicy::kReset, 3)).score(lines_), together);
  Scorer one_by_one(model_, options(0.5, StatePolicy::kReset, 2));
  std::vector<Score> alone;
  for (const std::string& line : lines_) alone.push_back(one_by_one.score(line));
  expect_same_bits(alone, together);
  const auto nats = [&](int threads) {
    return evaluate(model_, {text_, "text"}, {.ngram = NgramMix{ngram_, 0.5}, .threads = threads}).nats_per_token;
  };
  EXPECT_EQ(nats(1), nats(3));
}

TEST_F(NgramMixing, SeveralModelsAreMixedAsTheirAverage) {
  const std::vector<Model> models{model_, tiny_model(Cell::kGru, tiny_words(), 5)};
  const EvaluateOptions with{.state = StatePolicy::kReset, .ngram = NgramMix{ngram_, 0.5}};
  const AverageEvaluation all = evaluate_average(models, {text_, "text"}, with);
  EXPECT_EQ(all.average.nats_per_token,
            evaluate_average(models, {text_, "text"}, {.state = StatePolicy::kReset}).average.nats_per_token);
  ASSERT_TRUE(all.ngram);
  EXPECT_NE(all.ngram->mix.nats_per_token, all.average.nats_per_token);
  EXPECT_EQ(all.ngram->ngram.nats_per_token,
            evaluate_average(std::span(models).first(1), {text_, "text"}, with).ngram->ngram.nats_per_token);
}

TEST_F(NgramMixing, WhatTheNgramsDenyIsTheNetworksUnlessItHasNoShare) {
  std::string closed = kTrigrams;
  closed.replace(closed.find("<unk>"), 5, "rabid");
  ngram_ = loaded(closed);
  const Score network = Scorer(model_).score("old");
  const Score mixed = Scorer(model_, options(0.25)).score("old");
  EXPECT_NEAR(mixed.tokens[0].log_prob, network.tokens[0].log_prob + std::log(0.25), 1e-12);
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 2, symbol 1: the n-grams give this word no probability", [&] {
    static_cast<void>(Scorer(model_, options(0)).score(std::vector<std::string>{"the", "old"}));
  }));
  const EvaluateOptions alone{.ngram = NgramMix{ngram_, 0}};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "text, line 3", [&] {
    static_cast<void>(evaluate(model_, {text_, "text"}, alone));
  }));
  // Line ends that do not count may be denied, too: the first word that is denied is still the one that is named.
  closed.replace(closed.find("-0.5\t</s>"), 4, "-inf");
  const EvaluateOptions without_ends{.end = false, .ngram = NgramMix{loaded(closed), 0}};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "text, line 3", [&] {
    static_cast<void>(evaluate(model_, {text_, "text"}, without_ends));
  }));
  const std::vector<Model> models{model_};
  const auto all = evaluate_average(models, {text_, "text"}, {.ngram = NgramMix{ngram_, 0.5}});
  EXPECT_TRUE(std::isinf(all.ngram->ngram.perplexity));
  EXPECT_TRUE(std::isfinite(all.ngram->mix.perplexity));
}

TEST_F(NgramMixing, TuningFindsTheBestLambdaAndEvaluationConfirmsIt) {
  const auto nats = [&](double lambda) {
    return evaluate(model_, {text_, "text"}, {.exact = true, .ngram = NgramMix{ngram_, lambda}}).nats_per_token;
  };
  TuneOptions options{.temperature = false, .cache = false, .dynamic = false, .ngram = ngram_, .threads = 1};
  const TuneResult found = tune(model_, {text_, "text"}, options);
  EXPECT_NEAR(found.best.nats_per_token, nats(found.best.lambda), 1e-12);
  for (int i = 0; i <= 20; ++i) EXPECT_LE(found.best.nats_per_token, nats(i / 20.0) + 1e-6) << i;
  EXPECT_EQ(found.trials.front().lambda, 0);
  EXPECT_EQ(found.plain.lambda, 1);
  options.threads = 3;
  EXPECT_EQ(tune(model_, {text_, "text"}, options).best.lambda, found.best.lambda);
  options.temperature = true;
  const TuneTrial best = tune(model_, {text_, "text"}, options).best;
  EXPECT_NEAR(best.nats_per_token,
              evaluate(model_, {text_, "text"},
                       {.exact = true, .adaptation = best.adaptation, .ngram = NgramMix{ngram_, best.lambda}})
                  .nats_per_token,
              1e-9);
}

// N-grams that are all but certain of "the cat", and know no other word.
TEST_F(NgramMixing, TuningLeavesTheNetworkWhatTheNgramsDeny) {
  const std::string unigrams =
      "\\data\\\nngram 1=4\nngram 2=3\n\\1-grams:\n-99 <s>\n-0.3 </s>\n-0.6 the\n-0.6 cat\n\\2-grams:\n";
  ngram_ = loaded(unigrams + "-1e-4 <s> the\n-1e-4 the cat\n-1e-4 cat </s>\n\\end\\\n");
  const TuneOptions alone{.temperature = false, .cache = false, .dynamic = false, .ngram = ngram_};
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "the cat\n";
  const TuneResult without = tune(model_, {text, "text"}, alone);
  EXPECT_EQ(without.best.lambda, 0);
  EXPECT_EQ(without.trials.size(), 1);
  const TuneResult with = tune(model_, {text + "the old\n", "text"}, alone);
  EXPECT_EQ(with.best.lambda, 0.001);
  EXPECT_EQ(with.trials.size(), 2);
  EXPECT_TRUE(std::isfinite(with.best.perplexity));
}

TEST_F(NgramMixing, TheBestLambdaOfWhatIsAlwaysBetterIsAllOfIt) {
  const std::vector<double> good{-1, -2, -800};
  const std::vector<double> bad{-2, -900, -std::numeric_limits<double>::infinity()};
  EXPECT_NEAR(best_lambda(good, bad), 1, 1e-11);
  EXPECT_NEAR(best_lambda(std::vector<double>{-3, -900, -5000}, good), 0, 1e-11);
  EXPECT_NEAR(best_lambda(std::vector<double>{-1, -9}, std::vector<double>{-9, -1}), 0.5, 1e-11);
}

TEST_F(NgramMixing, WhatDoesNotFitIsRefused) {
  const auto refused = [&](const Model& model, const NgramMix& mix, const char* part) {
    return fails_with(ErrorCode::kUsage, part, [&] { Scorer(model, {.ngram = mix}); });
  };
  EXPECT_TRUE(refused(model_, {ngram_, 1.5}, "`lambda` is 1.5"));
  EXPECT_TRUE(refused(model_, {ngram_, std::nan("")}, "`lambda` is nan"));
  EXPECT_TRUE(refused(tiny_model(Cell::kLstm, tiny_characters()), {ngram_, 1}, "tokenizer is char"));
  EXPECT_TRUE(
      refused(model_, {loaded("\\data\\\nngram 1=1\n\\1-grams:\n-1 cat\n\\end\\\n"), 0.5}, "n.arpa' do not list </s>"));
  EXPECT_TRUE(refused(model_, {loaded("\\data\\\nngram 1=2\n\\1-grams:\n-1 </s>\n-1 Hund\n\\end\\\n"), 0.5},
                      "n.arpa' list none of"));
}

}  // namespace
}  // namespace unroll
