// The probability of words: sums to one, multiplies to the line's, and the entropy's bounds hold.
#include "unroll/score/word_scorer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/small_run.h"
#include "support/tiny_model.h"
#include "unroll/scorer.h"
#include "unroll/sentencepiece.h"

namespace unroll {
namespace {

// To how much a softmax sums to 1: its e^x are those of floats.
constexpr double kSoftmax = 1e-7;

// "<unk>", newline, space, a, b, c.
Tokenizer three_letters() {
  return Tokenizer::from_vocabulary(TokenizerKind::kChar, false, {"<unk>", "\n", " ", "a", "b", "c"});
}

Tokenizer pieces(bool lossless = true) {
  return Tokenizer::from_sentencepiece(
      train_sentencepiece({some_text(), "some text"},
                          {.kind = SentencePieceKind::kBpe, .vocab_size = lossless ? 300 : 40, .lossless = lossless}),
      "pieces");
}

// A piece of a .model file: its text and its type (1 normal, 2 unknown, 3 control).
std::string piece(const std::string& text, char type) {
  const std::string body = "\n" + std::string(1, static_cast<char>(text.size())) + text + "\x18" + type;
  return "\n" + std::string(1, static_cast<char>(body.size())) + body;
}

double log_prob_of(const std::vector<WordScore>& words) {
  double sum = 0;
  for (const WordScore& word : words) sum += word.log_prob;
  return sum;
}

// Calls `f` with each word over "abc?" of one letter to `longest`; "?" is unknown to three_letters().
void for_each_word(std::size_t longest, const std::function<void(const std::string&)>& f,
                   const std::string& start = "") {
  if (!start.empty()) f(start);
  if (start.size() == longest) return;
  for (const char letter : {'a', 'b', 'c', '?'}) for_each_word(longest, f, start + letter);
}

const WordScorerOptions kWithoutOutcomes{.outcomes = false, .threads = 1};

TEST(WordScorer, TheProbabilitiesOfAllWordsAfterAContextSumToOne) {
  const Model model = tiny_model(Cell::kLstm, three_letters());
  WordScorer words(model, kWithoutOutcomes);
  Scorer scorer(model, {.accounting = {.end = false}, .tokens = false, .threads = 1});
  constexpr std::size_t kLongest = 4;
  for (const std::string context : {"", "ab", "c a b"}) {
    const std::size_t place = context.empty() ? 0 : context == "ab" ? 1 : 3;
    const std::string before = context.empty() ? "" : context + " ";
    double sum = std::exp(words.score(context).back().log_prob);  // that nothing follows
    double longest = 0;                                           // probability of the letters alone
    for_each_word(kLongest, [&](const std::string& word) {
      sum += std::exp(words.score(before + word)[place].log_prob);
      if (word.size() == kLongest) longest += std::exp(scorer.score(before + word).log_prob);
    });
    // What is missing are longer words and those after two spaces or more: with P(all symbols so far) by Scorer, those
    // begin with kLongest letters that go on, or with a second space.
    double missing = 0;
    for_each_word(kLongest, [&](const std::string& word) {
      if (word.size() < kLongest) return;
      for (const char letter : {'a', 'b', 'c', '?'}) missing += std::exp(scorer.score(before + word + letter).log_prob);
    });
    // A line that begins with a space, or goes on with a second one, or ends after it.
    missing += std::exp(scorer.score(before + " ").log_prob);
    Scorer with_end(model, {.tokens = false, .threads = 1});
    if (!context.empty()) missing += std::exp(with_end.score(before).log_prob);
    const double given =
        context.empty() ? 1
                        : std::exp(scorer.score(context + " ").log_prob) + std::exp(with_end.score(context).log_prob);
    EXPECT_GT(longest, 0);
    EXPECT_NEAR(sum + missing / given, 1, kSoftmax) << context;
    EXPECT_GT(sum, 0.5) << context;
  }
}

TEST(WordScorer, TheProductOverALineIsItsProbability) {
  for (const Tokenizer& tokenizer : {tiny_characters(), all_bytes(), tiny_words(), pieces(), pieces(false)}) {
    const Model model = tiny_model(Cell::kGru, tokenizer);
    for (const StatePolicy state : {StatePolicy::kReset, StatePolicy::kCarry}) {
      WordScorer words(model, {.state = state, .outcomes = false, .threads = 1});
      WordScorer with_outcomes(model, {.state = state, .budget = 40, .threads = 2});
      Scorer scorer(model, {.accounting = {.state = state}, .threads = 1});
      for (const std::string line : {"the cat sees", "", " a  bad  ", "a", "\xE2\x82\xAC\xC3\xA9 dead", "  "}) {
        const Score score = scorer.score(line);
        const std::vector<WordScore> scored = words.score(line);
        EXPECT_NEAR(log_prob_of(scored), score.log_prob, 1e-9) << line;
        std::int64_t predictions = 0;
        for (const WordScore& word : scored) predictions += word.predictions;
        EXPECT_EQ(predictions, score.predictions);
        EXPECT_NEAR(log_prob_of(with_outcomes.score(line)), score.log_prob, 1e-9) << line;
      }
    }
  }
}

TEST(WordScorer, AVeryLongWordIsOneWord) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const std::string line = "ab " + std::string(300, 'c') + " d";
  const std::vector<WordScore> words = WordScorer(model, kWithoutOutcomes).score(line);
  ASSERT_EQ(words.size(), 4U);
  EXPECT_EQ(words[1].predictions, 301);
  EXPECT_NEAR(log_prob_of(words), Scorer(model, {.threads = 1}).score(line).log_prob, 1e-9);

  const std::vector<WordScore> with_outcomes = WordScorer(model, {.budget = 4, .threads = 1}).score(line);
  for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(words[i].log_prob, with_outcomes[i].log_prob) << i;
}

TEST(WordScorer, WordsAreRunsOfTextWithTheirPlaces) {
  for (const Tokenizer& tokenizer : {tiny_characters(), all_bytes(), pieces(), pieces(false)}) {
    const std::vector<WordScore> words =
        WordScorer(tiny_model(Cell::kGru, tokenizer), kWithoutOutcomes).score(" the  old \xC3\xA9t ");
    ASSERT_EQ(words.size(), 4U);
    EXPECT_EQ(words[0].text, "the");
    EXPECT_EQ(words[0].offset, 1);
    EXPECT_EQ(words[1].text, "old");
    EXPECT_EQ(words[1].offset, 6);
    EXPECT_EQ(words[2].text, "\xC3\xA9t");
    EXPECT_EQ(words[2].offset, 10);
    EXPECT_TRUE(words[3].end);
    EXPECT_EQ(words[3].text, tokenizer.symbol(tokenizer.boundary()));
  }
}

TEST(WordScorer, ReadsWhiteSpaceThatTheVocabularyLacksAsASpace) {
  WordScorer scorer(tiny_model(Cell::kGru, three_letters()), kWithoutOutcomes);
  const std::vector<WordScore> expected = scorer.score("ab c  a");
  for (const char* line : {"ab\tc \ta", "ab\fc\v\ra", "ab c  a\r"}) {
    const std::vector<WordScore> words = scorer.score(line);
    ASSERT_EQ(words.size(), expected.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
      EXPECT_EQ(words[i].log_prob, expected[i].log_prob);
      EXPECT_EQ(words[i].text, expected[i].text);
      EXPECT_EQ(words[i].unknown_symbols, 0);
    }
  }
  EXPECT_EQ(scorer.score("a\xC2\xA0z").front().unknown_symbols, 2);  // not ASCII: text like a letter
}

TEST(WordScorer, ShowsACarriageReturnThatIsASymbolInTheEndOfTheLine) {
  WordScorer scorer(tiny_model(Cell::kGru, all_bytes()), kWithoutOutcomes);
  const std::vector<WordScore> words = scorer.score("ab c \r");
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[1].log_prob, scorer.score("ab c")[1].log_prob);
  EXPECT_EQ(words[2].text, "\r\n");
  EXPECT_EQ(scorer.score("ab c ")[2].text, "\n");
}

TEST(WordScorer, WhereTokensAreWordsItSaysWhatTheScorerSays) {
  const Model model = tiny_model(Cell::kLstm, tiny_words());
  const std::vector<WordScore> words = WordScorer(model, {.top = 3, .threads = 1}).score("the old cat");
  const Score score = Scorer(model, {.threads = 1}).score("the old cat");
  ASSERT_EQ(words.size(), score.tokens.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(words[i].text, score.tokens[i].text);
    EXPECT_DOUBLE_EQ(words[i].log_prob, score.tokens[i].log_prob);
    EXPECT_NEAR(words[i].entropy.lower, score.tokens[i].entropy, kSoftmax);
    EXPECT_EQ(words[i].entropy.lower, words[i].entropy.upper);
    EXPECT_EQ(words[i].rank, score.tokens[i].rank);
    ASSERT_EQ(words[i].top.size(), 3U);
    EXPECT_GE(words[i].top[0].log_prob, words[i].top[1].log_prob);
    if (score.tokens[i].rank == 1) {
      EXPECT_EQ(words[i].top[0].text, words[i].text);
    }
  }
}

// All that can stand at a place, cut at three symbols, from step() alone: a second way to the same numbers.
struct Plain {
  double entropy = 0;
  std::int64_t more_probable = 0;

  Plain(Scorer& scorer, const Tokenizer& tokenizer, const State& start, bool open, double log_prob) {
    closing_ = {tokenizer.boundary(), 2};
    const double given = open ? closing(scorer.next_log_probs(start)) : 1;
    const std::vector<double> first = scorer.next_log_probs(start);
    for (std::int32_t id = 0; id < tokenizer.size(); ++id) {
      const bool closes = id == closing_[0] || id == closing_[1];
      if (open && !closes) continue;
      go_on(scorer, start, id, std::exp(first[static_cast<std::size_t>(id)]) / given, 1, false, log_prob);
    }
  }

 private:
  [[nodiscard]] double closing(const std::vector<double>& next) const {
    return std::exp(next[static_cast<std::size_t>(closing_[0])]) +
           std::exp(next[static_cast<std::size_t>(closing_[1])]);
  }

  void outcome(double p, double log_prob) {
    entropy -= p * std::log(p);
    more_probable += std::log(p) > log_prob + 1e-9 ? 1 : 0;
  }

  void go_on(Scorer& scorer, State state, std::int32_t id, double p, int depth, bool text, double log_prob) {
    if (id == closing_[0]) return outcome(p, log_prob);
    if (depth == 3) {
      entropy -= p * std::log(p);
      return;
    }
    scorer.step(state, id);
    text = text || id != closing_[1];
    const std::vector<double> next = scorer.next_log_probs(state);
    if (text) outcome(p * closing(next), log_prob);
    for (std::int32_t after = 0; after < std::ssize(next); ++after) {
      if (text && (after == closing_[0] || after == closing_[1])) continue;
      go_on(scorer, state, after, p * std::exp(next[static_cast<std::size_t>(after)]), depth + 1, text, log_prob);
    }
  }

  std::array<std::int32_t, 2> closing_{};
};

TEST(WordScorer, WithoutALimitTheEntropyIsThatOfAllOutcomes) {
  const Tokenizer tokenizer = three_letters();
  const Model model = tiny_model(Cell::kLstm, tokenizer);
  WordScorer words(model, {.budget = 10000, .longest = 3, .threads = 2});
  Scorer scorer(model, {.threads = 1});
  State state = scorer.initial_state();
  const std::vector<WordScore> scored = words.score("a b");
  for (std::size_t i = 0; i < scored.size(); ++i) {
    const Plain plain(scorer, tokenizer, state, i > 0, scored[i].log_prob);
    EXPECT_NEAR(scored[i].entropy.lower, plain.entropy, 1e-9);
    EXPECT_NEAR(scored[i].entropy.upper, plain.entropy, 1e-9);
    if (scored[i].rank) {
      EXPECT_EQ(*scored[i].rank, 1 + plain.more_probable);
    }
    const std::array<std::vector<std::int32_t>, 3> symbols{{{3}, {2, 4}, {1}}};
    for (const std::int32_t symbol : symbols[i]) scorer.step(state, symbol);
  }
  EXPECT_TRUE(scored.back().rank);
}

TEST(WordScorer, ALargerBudgetTightensTheBoundsOfTheEntropy) {
  for (const Tokenizer& tokenizer : {three_letters(), pieces(false)}) {
    const Model model = tiny_model(Cell::kGru, tokenizer);
    std::vector<WordScore> before;
    for (const std::int64_t budget : {1, 2, 17, 100, 400}) {
      const std::vector<WordScore> scored =
          WordScorer(model, {.budget = budget, .longest = 6, .threads = 1}).score("a b");
      for (std::size_t i = 0; i < scored.size(); ++i) {
        EXPECT_LE(scored[i].entropy.lower, scored[i].entropy.upper + 1e-12);
        if (before.empty()) continue;
        EXPECT_GE(scored[i].entropy.lower, before[i].entropy.lower - 1e-9);
        EXPECT_LE(scored[i].entropy.upper, before[i].entropy.upper + 1e-9);
        if (before[i].rank) {
          EXPECT_EQ(scored[i].rank, before[i].rank);
        }
      }
      before = scored;
    }
  }
}

TEST(WordScorer, AlternativesAreWordsWithTheirOwnProbabilities) {
  const Model model = tiny_model(Cell::kLstm, three_letters());
  WordScorer words(model, {.top = 5, .budget = 2000, .threads = 1});
  const std::vector<WordAlternative> top = words.score("ab c")[1].top;
  ASSERT_GE(top.size(), 2U);
  for (const WordAlternative& other : top) {
    // "<unk>" is written as such, and no letter of the text.
    if (other.text.find("<unk>") != std::string::npos) continue;
    const std::string spaces = other.text.substr(0, other.text.size() - 1);
    const std::vector<WordScore> again = words.score(other.end ? "ab" + spaces : "ab " + other.text);
    EXPECT_NEAR(again[1].log_prob, other.log_prob, 1e-9) << other.text;
  }
}

TEST(WordScorer, BitsDependNeitherOnThreadsNorOnWhatWasScoredBefore) {
  const Model model = tiny_model(Cell::kLstm, pieces());
  WordScorer one(model, {.top = 2, .budget = 100, .threads = 1});
  WordScorer three(model, {.top = 2, .budget = 100, .threads = 3});
  static_cast<void>(three.score("something else before"));
  const std::vector<WordScore> a = one.score("the old cat");
  const std::vector<WordScore> b = three.score("the old cat");
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].log_prob, b[i].log_prob);
    EXPECT_EQ(a[i].entropy.lower, b[i].entropy.lower);
    EXPECT_EQ(a[i].entropy.upper, b[i].entropy.upper);
    EXPECT_EQ(a[i].rank, b[i].rank);
  }
}

TEST(WordScorer, APieceThatEndsWithASpaceClosesItsWord) {
  // "<unk>", "<s>", "</s>", then "a" and "b" with the space after them, and both without.
  const std::string space = "\xE2\x96\x81";
  const std::string suffix_mode("\x12\x03\xC0\x01\x01", 5);
  const Tokenizer tokenizer = Tokenizer::from_sentencepiece(
      piece("<unk>", '\2') + piece("<s>", '\3') + piece("</s>", '\3') + piece("a" + space, '\1') +
          piece("b" + space, '\1') + piece("a", '\1') + piece("b", '\1') + suffix_mode,
      "pieces");
  const Model model = tiny_model(Cell::kGru, tokenizer);
  const std::vector<WordScore> words = WordScorer(model, kWithoutOutcomes).score("a ba");
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[0].text, "a");
  EXPECT_EQ(words[1].text, "ba");
  EXPECT_EQ(words[1].predictions, 2);
  const Score score = Scorer(model, {.threads = 1}).score("a ba");
  ASSERT_EQ(score.tokens.size(), 4U);
  EXPECT_DOUBLE_EQ(words[0].log_prob, score.tokens[0].log_prob);
  EXPECT_DOUBLE_EQ(words[2].log_prob, score.tokens[3].log_prob);
}

TEST(WordScorer, RefusesAVocabularyWithSymbolsThatSpanWords) {
  const Tokenizer tokenizer = Tokenizer::from_sentencepiece(
      piece("<unk>", '\2') + piece("</s>", '\3') + piece("\xE2\x96\x81of\xE2\x96\x81the", '\1') + piece("a", '\1'),
      "pieces");
  const Model model = tiny_model(Cell::kGru, tokenizer);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "spans words", [&] { WordScorer(model, kWithoutOutcomes); }));
}

TEST(WordScorer, RefusesOptionsAndLinesThatItCannotUse) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "budget", [&] { WordScorer(model, {.budget = 0}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "temperature", [&] { WordScorer(model, {.temperature = 0}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "top", [&] { WordScorer(model, {.top = -1}); }));
  WordScorer words(model, kWithoutOutcomes);
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 7", [&] { static_cast<void>(words.score("a\nb", 7)); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 7", [&] { static_cast<void>(words.score("\xFF", 7)); }));
}

}  // namespace
}  // namespace unroll
