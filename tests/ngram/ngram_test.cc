#include "unroll/ngram/ngram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Trigrams over the, cat, </s> whose numbers make every context sum to 1. (SRILM's convention of -99 for <s>.)
//
//   p(the) = 0.5, p(cat) = 0.3, p(</s>) = 0.2
//   after <s>: p(the) = 0.8, the rest by a back-off of 0.2 / 0.5; after the: p(cat) = 0.9, back-off 0.1 / 0.7
//   after <s> the: p(cat) = 0.6, back-off 0.4 / 0.1; after the cat: p(</s>) = 0.7, back-off 0.3 / 0.8
std::string tiny_arpa() {
  const auto log = [](double p) { return std::to_string(std::log10(p)); };
  return "\\data\\\nngram 1=4\nngram 2=3\nngram 3=2\n\n\\1-grams:\n-99\t<s>\t" + log(0.4) + "\n" + log(0.5) +
         "\tthe\t" + log(0.1 / 0.7) + "\n" + log(0.3) + "\tcat\n" + log(0.2) + "\t</s>\n\n\\2-grams:\n" + log(0.8) +
         "\t<s> the\t" + log(0.4 / 0.1) + "\n" + log(0.9) + "\tthe cat\t" + log(0.3 / 0.8) + "\n" + log(0.5) +
         "\tcat the\n\n\\3-grams:\n" + log(0.6) + "\t<s> the cat\n" + log(0.7) + "\tthe cat </s>\n\n\\end\\\n";
}

class NgramFile : public testing::Test {
 protected:
  Ngram load(const std::string& text) {
    write_bytes(path_, text);
    return Ngram::load(path_);
  }
  testing::AssertionResult refused(const std::string& text, const std::string& part) {
    return fails_with(ErrorCode::kFormat, part, [&] { load(text); });
  }
  // tiny_arpa() with `before`, which must be in it, replaced.
  static std::string changed(const std::string& before, const std::string& after) {
    std::string text = tiny_arpa();
    const std::size_t at = text.find(before);
    EXPECT_NE(at, std::string::npos) << before;
    return text.replace(at, before.size(), after);
  }
  static double p(const Ngram& ngram, const std::vector<std::string>& context, const std::string& word) {
    NgramState state = ngram.begin();
    for (const std::string& before : context) ngram.read(state, ngram.id(before));
    return std::exp(ngram.log_prob(state, ngram.id(word)));
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.path("n.arpa");
};

TEST_F(NgramFile, MayBeginWithAByteOrderMark) {
  EXPECT_EQ(load("\xEF\xBB\xBF" + tiny_arpa()).order(), 3);
  const std::string utf16 = "\xFF\xFE\\";
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "iconv -f UTF-16 -t UTF-8", [&] { load(utf16); }));
}

TEST_F(NgramFile, ReturnsListedProbabilitiesAndBacksOffElsewhere) {
  const Ngram ngram = load(tiny_arpa());
  EXPECT_EQ(ngram.path(), path_);
  EXPECT_EQ(ngram.order(), 3);
  EXPECT_EQ(ngram.size(), 4);
  EXPECT_EQ(ngram.count(2), 3);
  EXPECT_EQ(ngram.unknown(), -1);
  EXPECT_EQ(ngram.word(ngram.end()), "</s>");
  EXPECT_EQ(ngram.id("dog"), -1);
  EXPECT_NEAR(p(ngram, {}, "the"), 0.8, 1e-6);
  EXPECT_NEAR(p(ngram, {}, "cat"), 0.4 * 0.3, 1e-6);
  EXPECT_NEAR(p(ngram, {"the"}, "cat"), 0.6, 1e-6);
  EXPECT_NEAR(p(ngram, {"the"}, "</s>"), 4 * (0.1 / 0.7) * 0.2, 1e-6);
  EXPECT_NEAR(p(ngram, {"the", "cat"}, "</s>"), 0.7, 1e-6);
  EXPECT_NEAR(p(ngram, {"the", "cat"}, "the"), 0.375 * 0.5, 1e-6);
  EXPECT_NEAR(p(ngram, {"cat", "cat"}, "</s>"), 0.2, 1e-6);
}

TEST_F(NgramFile, ProbabilitiesAreThoseOfEachWord) {
  const Ngram ngram = load(tiny_arpa());
  for (const std::vector<std::int32_t>& context :
       std::vector<std::vector<std::int32_t>>{{}, {1}, {1, 2}, {2}, {2, 2}, {2, 1}, {3}, {1, 2, 3}, {-1}, {1, -1, 2}}) {
    NgramState state = ngram.begin();
    for (const std::int32_t word : context) ngram.read(state, word);
    std::vector<double> all(4);
    ngram.probabilities(state, all);
    for (std::int32_t word = 0; word < 4; ++word) {
      NgramState asked = state;
      EXPECT_NEAR(all[static_cast<std::size_t>(word)], std::exp(ngram.log_prob(asked, word)), 1e-14);
    }
  }
  std::vector<double> all(4);
  ngram.probabilities(ngram.begin(), all);
  EXPECT_NEAR(std::accumulate(all.begin(), all.end(), 0.0), 0.8 + 0.4 * 0.5, 1e-6);
}

TEST_F(NgramFile, AWordThatIsNotListedResetsTheContext) {
  const Ngram ngram = load(tiny_arpa());
  NgramState state = ngram.begin();
  EXPECT_EQ(ngram.log_prob(state, -1), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(state, NgramState{});
}

TEST_F(NgramFile, StatesThatPredictAlikeCompareEqual) {
  const Ngram ngram = load(tiny_arpa());
  NgramState one = ngram.begin();
  NgramState other;
  for (const std::int32_t word : {2, 2}) ngram.read(one, word);
  ngram.read(other, 2);
  EXPECT_EQ(one, other);  // "cat cat" is not listed
  ngram.read(one, 1);
  EXPECT_NE(one, other);
}

TEST_F(NgramFile, ReadsFilesOfTheToolkits) {
  const double reference = p(load(tiny_arpa()), {"the"}, "</s>");
  EXPECT_EQ(p(load("made by hand\n\n" + tiny_arpa() + "and more\n"), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("ngram 1=4", "ngram  1=     4 ")), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("\\1-grams:\n", "\n\n\\1-grams: \n\n")), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("\t<s> the cat", "   <s>\tthe  cat \t-0.1")), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("-99\t<s>", "-inf\t<s>")), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("-99\t<s>", "1e-08 <s>")), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("-99\t<s>", "-1e-330\t<s>")), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("\\data\\", " \t\\data\\")), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("\\1-grams:", " \\1-grams:")), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("\\end\\", "\t\\end\\")), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("ngram 1=4\nngram 2", "ngram 1=4\r\nngram 2")), {"the"}, "</s>"), reference);
  EXPECT_EQ(p(load(changed("the\t0.602060", "the\t+0.602060")), {"the"}, "</s>"), reference);
  EXPECT_EQ(load("\\data\\\nngram 1=1\n\\1-grams:\n0 <UNK>\n\\end\\").unknown(), 0);
  EXPECT_EQ(load("\\data\\\nngram 1=2\n\\1-grams:\n-1 <UNK>\n-1 <unk>\n\\end\\").unknown(), 1);
}

TEST_F(NgramFile, DamageIsReportedWithItsPlace) {
  EXPECT_TRUE(refused("", "line 0"));
  EXPECT_TRUE(refused("just text\n", "no line \\data\\"));
  EXPECT_TRUE(refused("\\data\\\n", "lists no counts"));
  EXPECT_TRUE(refused("iARPA\n\n" + tiny_arpa(), "line 1: this is iARPA, a format of IRSTLM"));
  EXPECT_TRUE(refused("\n qARPA 3 \r\n" + tiny_arpa(), "line 2: this is qARPA"));
  EXPECT_TRUE(refused("iARPA\n", "compile-lm --text=yes"));
  EXPECT_TRUE(refused("\\data\\\nngram 1=1\n", "\\1-grams: is missing"));
  EXPECT_TRUE(refused(changed("ngram 2=3", "ngram 3=3"), "line 3: expected \"ngram 2=\""));
  EXPECT_TRUE(refused(changed("ngram 2=3", "ngram 2=-3"), "line 3"));
  EXPECT_TRUE(refused(changed("ngram 2=3", "ngram 2=99999999999999999999"), "line 3"));
  EXPECT_TRUE(refused(changed("ngram 2=3", "ngram 2=4"), "the 2-grams that begin in line 12 are 3"));
  EXPECT_TRUE(refused(changed("ngram 2=3", "ngram 2=2"), "line 15: more 2-grams than the 2"));
  EXPECT_TRUE(refused(changed("\\2-grams:", "\\3-grams:"), "line 12: expected \\2-grams:, found \"\\\\3-grams:\""));
  EXPECT_TRUE(refused(changed("\\end\\\n", ""), "cut short"));
  EXPECT_TRUE(refused(changed("\tthe cat\t", "\tthe dog\t"), "line 14, column 15: the word \"dog\""));
  EXPECT_TRUE(refused(changed("-0.045757\tthe cat", " \t-0.045757\tthe dog"), "line 14, column 17: the word \"dog\""));
  EXPECT_TRUE(refused(changed("\tcat the", "\tthe cat"), "line 15: this 2-gram is already in line 14"));
  EXPECT_TRUE(refused(changed("\tcat\n", "\tthe\n"), "line 9, column 11: the word \"the\" is already in line 8"));
  EXPECT_TRUE(refused(changed("\tthe cat </s>", "\tcat cat </s>"), "the context of this n-gram is not among"));
  EXPECT_TRUE(refused(changed("\tcat the", ""), "line 15: 1 field:"));
  EXPECT_TRUE(refused(changed("\tcat the", "\tcat the cat the"), "line 15: 5 fields"));
  for (const char* number : {"nan", "x", "", "-0.1x", "1e999", "-1e999", "1e-330x", "inf", "0x1p3", "-1e7", "0.5", "-",
                             "--1", "+-1", "++1", "+"}) {
    EXPECT_TRUE(refused(changed("-99\t<s>", std::string(number) + "\t<s>"), "line 7")) << number;
  }
  EXPECT_TRUE(refused(changed("\tcat\n", "\tcat\tinf\n"), "line 9, column 15"));
}

TEST_F(NgramFile, AFileThatIsCutAnywhereIsRefused) {
  const std::string text = tiny_arpa();
  const std::size_t whole = text.size() - 1;  // its last line may lack its end
  for (std::size_t size = 0; size < whole; ++size) {
    EXPECT_TRUE(refused(text.substr(0, size), path_)) << size;
  }
}

TEST_F(NgramFile, AFileWithAnyByteChangedIsReadOrRefused) {
  const std::string text = tiny_arpa();
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x10U, 0x80U, 0xFFU}) {
      std::string damaged = text;
      damaged[at] = static_cast<char>((static_cast<unsigned char>(damaged[at]) ^ flip) & 0xFFU);
      const auto error = error_of([&] { load(damaged); });
      EXPECT_TRUE(!error || error->code() == ErrorCode::kFormat) << error->what();
    }
  }
}

TEST_F(NgramFile, RefusesWordsOrdersAndStatesThatItDoesNotHave) {
  const Ngram ngram = load(tiny_arpa());
  const auto misused = [](const char* part, const auto& use) { return fails_with(ErrorCode::kUsage, part, use); };
  for (const std::int64_t order : {-1, 0, 4}) {
    EXPECT_TRUE(misused("the orders are 1 to 3", [&] { static_cast<void>(ngram.count(order)); }));
  }
  for (const std::int32_t word : {-1, 4}) {
    EXPECT_TRUE(misused("there is no word", [&] { static_cast<void>(ngram.word(word)); }));
  }
  NgramState state = ngram.begin();
  EXPECT_TRUE(misused("no word 4: the n-grams have 4 words", [&] { ngram.log_prob(state, 4); }));
  EXPECT_TRUE(misused("no word 4", [&] { ngram.read(state, 4); }));
  EXPECT_EQ(state, ngram.begin());
  std::vector<double> few(3);
  EXPECT_TRUE(misused("expected 4", [&] { ngram.probabilities(state, few); }));
  std::vector<double> all(4);
  for (NgramState foreign : {NgramState{{4}}, NgramState{{0, 3}}, NgramState{{0, 0, 0}}}) {
    EXPECT_TRUE(misused("the state is not one of", [&] { ngram.log_prob(foreign, 1); }));
    EXPECT_TRUE(misused("the state is not one of", [&] { ngram.read(foreign, 1); }));
    EXPECT_TRUE(misused("the state is not one of", [&] { ngram.probabilities(foreign, all); }));
  }
}

TEST_F(NgramFile, SumsOfWholeModelsAreOne) {
  const NgramSums sums = load(tiny_arpa()).sums();
  EXPECT_EQ(sums.contexts, 1 + 3 + 2);
  EXPECT_EQ(sums.wrong, 0);
  EXPECT_NEAR(sums.worst_sum, 1, 1e-5);
  const auto wrong = [&](const std::string& text) { return load(text).sums().wrong; };
  EXPECT_EQ(wrong(changed("-99\t<s>", "0\t<s>")), 0);                       // KenLM
  EXPECT_EQ(wrong(changed("-0.698970\t</s>", "-0.698970\t</s>\t-99")), 0);  // of a word that is no context
  EXPECT_EQ(wrong(changed("-99\t<s>", "-1\t<s>")), 0);                      // beside 1
  EXPECT_EQ(wrong("\\data\\\nngram 1=3\n\\1-grams:\n-1 <s>\n-0.3979 a\n-0.3010 </s>\n\\end\\"), 0);  // within 1
  EXPECT_EQ(wrong("\\data\\\nngram 1=2\n\\1-grams:\n-0.30 a\n-0.3010 </s>\n\\end\\"), 0);
  EXPECT_EQ(wrong("\\data\\\nngram 1=3\n\\1-grams:\n-0.3010 a\n-0.6021 </s>\n-0.6021 <unk>\n\\end\\"), 0);
}

TEST_F(NgramFile, SumsOfEditedFilesAreToldWithTheWorst) {
  NgramSums sums = load(changed("-0.698970\t</s>", "0\t</s>")).sums();  // a recipe that some follow
  EXPECT_EQ(sums.wrong, 2);                                             // "the cat" lists "</s>", too
  EXPECT_NEAR(sums.worst_sum, 1.8, 1e-5);
  EXPECT_EQ(sums.worst_context, "");
  sums = load(changed("\tthe cat\t-0.425969", "\tthe cat\t0.574031")).sums();
  EXPECT_EQ(sums.wrong, 1);
  EXPECT_NEAR(sums.worst_sum, 0.7 + 3.75 * 0.8, 1e-5);
  EXPECT_EQ(sums.worst_context, "the cat");
  sums = load(changed("-0.154902\tthe cat </s>", "-1\tthe cat </s>")).sums();
  EXPECT_NEAR(sums.worst_sum, 0.1 + 0.375 * 0.8, 1e-5);
  sums = load("\\data\\\nngram 1=2\n\\1-grams:\n-1 a\n-0.3010 </s>\n\\end\\").sums();
  EXPECT_EQ(sums.wrong, 1);
  EXPECT_NEAR(sums.worst_sum, 0.6, 1e-3);
}

// As many words as a sample does not cover, each the context of the next.
TEST_F(NgramFile, SumsOfManyContextsAreSampled) {
  constexpr int kWords = 3000;
  const double log_p = std::log10(1.0 / kWords);
  std::string unigrams;
  std::string bigrams;
  for (int i = 0; i < kWords; ++i) {
    unigrams += std::to_string(log_p) + " w" + std::to_string(i) + " " + std::to_string(std::log10(0.5)) + "\n";
    bigrams +=
        std::to_string(std::log10(0.5)) + " w" + std::to_string(i) + " w" + std::to_string((i + 1) % kWords) + "\n";
  }
  const auto sums_with = [&](const std::string& two) {
    return load("\\data\\\nngram 1=3000\nngram 2=3000\n\\1-grams:\n" + unigrams + "\\2-grams:\n" + two + "\\end\\")
        .sums();
  };
  const NgramSums right = sums_with(bigrams);
  EXPECT_EQ(right.contexts, 1 + 1000);
  EXPECT_EQ(right.wrong, 0);
  for (std::size_t at = 0; (at = bigrams.find("-0.30", at)) != std::string::npos; at += 5)
    bigrams.replace(at, 5, "-0.50");
  EXPECT_EQ(sums_with(bigrams).wrong, 1000);
}

TEST_F(NgramFile, AMissingFileIsNamed) {
  EXPECT_TRUE(fails_with(ErrorCode::kFile, "nowhere.arpa", [&] { Ngram::load(folder_.path("nowhere.arpa")); }));
}

}  // namespace
}  // namespace unroll
