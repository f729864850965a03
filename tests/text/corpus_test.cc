#include "text/corpus.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/philox.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "text/checked_text.h"
#include "text/split_tail.h"

namespace unroll {
namespace {

constexpr auto kCarry = StatePolicy::kCarry;
constexpr auto kReset = StatePolicy::kReset;

struct Parts {
  std::string_view train, valid;
};

Parts split(std::string_view text, double share, TokenizerKind kind, StatePolicy state) {
  const SplitText parts = split_tail(CheckedText(kind, false, {text, "text"}), share, state);
  return {parts.train.view(), parts.valid.view()};
}

TEST(SplitTail, CutsTinyShakespeareAtTheUsualPlace) {
  const std::string text(1115394, 'x');
  const Parts parts = split(text, 0.1, TokenizerKind::kChar, kCarry);
  EXPECT_EQ(parts.train.size(), 1003854U);
  EXPECT_EQ(parts.valid.size(), 111540U);
}

TEST(SplitTail, IsNotMovedByTheRoundingOfTheShare) {
  for (int tenths = 1; tenths < 10; ++tenths) {
    const double share = tenths / 10.0;
    for (const std::size_t tens : {1U, 7U, 100U, 12345U}) {
      const std::string text(10 * tens, 'x');
      const Parts parts = split(text, share, TokenizerKind::kByte, kCarry);
      EXPECT_EQ(parts.valid.size(), tens * static_cast<std::size_t>(tenths)) << share << " of " << text.size();
    }
  }
}

TEST(SplitTail, CountsCharactersForCharAndBytesForByte) {
  const std::string text = "ääää\nbbbbb";
  EXPECT_EQ(split(text, 0.7, TokenizerKind::kChar, kCarry).train, "äää");
  EXPECT_EQ(split(text, 0.5, TokenizerKind::kByte, kCarry).train, "äää\xC3");
}

TEST(SplitTail, HoldsOutNothingForAShareOfZero) {
  const Parts parts = split("a b\nc", 0, TokenizerKind::kWord, kCarry);
  EXPECT_EQ(parts.train, "a b\nc");
  EXPECT_TRUE(parts.valid.empty());
}

TEST(SplitTail, KeepsLinesWholeForWordsAndWhereStatesAreReset) {
  const std::string text = "one two\nthree four\nfive six\n";
  for (const TokenizerKind kind : {TokenizerKind::kWord, TokenizerKind::kWhitespace}) {
    EXPECT_EQ(split(text, 0.5, kind, kCarry).valid, "five six\n");
  }
  for (const TokenizerKind kind : {TokenizerKind::kChar, TokenizerKind::kByte}) {
    EXPECT_EQ(split(text, 0.5, kind, kReset).valid, "five six\n");
    EXPECT_EQ(split(text, 0.5, kind, kCarry).valid.size(), text.size() / 2);
  }
}

TEST(SplitTail, StaysWhereALineStartsAnyway) {
  EXPECT_EQ(split("a b\nc d\n", 0.5, TokenizerKind::kWord, kCarry).train, "a b\n");
}

TEST(SplitTail, GoesBackToTheLineBeforeWhereNothingWouldBeLeft) {
  EXPECT_EQ(split("one\ntwo\nthree\n", 0.1, TokenizerKind::kWord, kCarry).valid, "three\n");
  EXPECT_EQ(split("one\ntwo\nthree", 0.1, TokenizerKind::kWord, kCarry).valid, "three");
}

TEST(SplitTail, CutsALongLineRatherThanMovingFar) {
  std::string words;
  for (int i = 0; i < 500; ++i) words += "word ";
  const std::string title = "A title\n";
  std::string with_cr = words;
  for (std::size_t i = 99; i < with_cr.size(); i += 100) with_cr[i] = '\r';
  const std::string lines = "one two three\nfour five six\n";
  const std::string thirds = lines + lines + words;
  for (const std::string& text : {title + words, title + with_cr, thirds, words + lines + "x\n", words + "\nx\n"}) {
    for (const TokenizerKind kind : {TokenizerKind::kWord, TokenizerKind::kSentencePiece, TokenizerKind::kByte}) {
      const Parts parts = split(text, 0.1, kind, kReset);
      const auto cut = static_cast<std::size_t>(std::floor(static_cast<double>(text.size()) * 0.9));
      EXPECT_GE(parts.train.size(), cut);
      EXPECT_LE(parts.train.size(), cut + 5);
      EXPECT_TRUE(parts.train.ends_with(' ') || parts.train.ends_with('\r')) << parts.train;
      EXPECT_EQ(std::string(parts.train) + std::string(parts.valid), text);
    }
  }
}

TEST(SplitTail, NeverMovesFarWhateverTheLines) {
  for (std::uint32_t i = 0; i < 300; ++i) {
    std::string text;
    const auto lengths = random_words(1, 0, RandomPurpose::kTestPoint, 0, 0, i);
    for (const std::uint32_t length : lengths) text += std::string(length % (i + 3), 'x') + '\n';
    for (const double share : {0.1, 0.5, 0.9}) {
      const Parts parts = split(text, share, TokenizerKind::kWord, kCarry);
      const double size = static_cast<double>(text.size());
      EXPECT_GE(static_cast<double>(parts.valid.size()), std::floor(size * share / 4)) << text;
      EXPECT_GE(static_cast<double>(parts.train.size()), std::floor(std::floor(size * (1 - share)) / 2)) << text;
    }
  }
}

TEST(SplitTail, CutsASingleLineWhereItFalls) {
  const Parts parts = split("one two three four\n", 0.25, TokenizerKind::kWord, kCarry);
  EXPECT_EQ(parts.train, "one two three ");
  EXPECT_EQ(parts.valid, "four\n");
}

TEST(SplitTail, RefusesAShareOutOfRange) {
  for (const double share : {-0.1, 1.0, 2.0, std::nan("")}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`text.valid_split`",
                           [&] { (void)split("abc", share, TokenizerKind::kChar, kCarry); }));
  }
}

TEST(CheckText, NamesByteAndLineOfTheFirstMalformedSequence) {
  const std::string text = "ab\nc\xC3\xA4\nd\xFFx\xFE";
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "file.txt: byte 8 (line 3): 0xff", [&] {
    (void)CheckedText(TokenizerKind::kChar, false, {text, "file.txt"});
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "convert the text to UTF-8", [&] {
    (void)CheckedText(TokenizerKind::kWord, false, {text, "file.txt"});
  }));
  EXPECT_FALSE(error_of([&] { (void)CheckedText(TokenizerKind::kByte, false, {text, "file.txt"}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 12: byte 2: 0xfe", [&] {
    check_line(TokenizerKind::kChar, false, {"ab\xFE", "line 12"});
  }));
}

TEST(CheckText, HoldsUtf8ToItsStrictForm) {
  // One past each end of what is allowed: overlong forms, surrogates, beyond U+10FFFF, cut sequences, lone bytes.
  for (const std::string_view malformed :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x7F", "\xC2\xC0", "\xE0\x9F\xBF", "\xE0\xA0",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
        "\xF0\x90\x80", "\xE1\x80\xC0"}) {
    const std::string text = "1234567" + std::string(malformed);
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "byte 7 (", [&] {
      (void)CheckedText(TokenizerKind::kChar, false, {text, "x"});
    }));
  }
  for (const std::string_view well_formed :
       {"\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xEF\xBB\xBF",
        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    const std::string text = "1234567" + std::string(well_formed) + "12345678";
    EXPECT_FALSE(error_of([&] { (void)CheckedText(TokenizerKind::kChar, false, {text, "x"}); }));
  }
}

TEST(CheckText, RefusesTheEndOfLineSymbolAsAWordOfWhitespaceText) {
  const auto fails = [](bool lowercase, std::string_view text, const std::string& where) {
    return fails_with(ErrorCode::kInput, where, [&] {
      (void)CheckedText(TokenizerKind::kWhitespace, lowercase, {text, "x"});
    });
  };
  EXPECT_TRUE(fails(false, "a b\nc <eos>\n", "byte 6 (line 2)"));
  EXPECT_TRUE(fails(false, "<eos>", "byte 0 (line 1)"));
  EXPECT_TRUE(fails(true, "a\n<EoS> b", "byte 2 (line 2)"));
  EXPECT_FALSE(error_of([] {
    (void)CheckedText(TokenizerKind::kWhitespace, false, {"<eos>s a<eos> <EOS> <eos", "x"});
  }));
  EXPECT_FALSE(error_of([] { (void)CheckedText(TokenizerKind::kWord, false, {"a <eos> b", "x"}); }));
}

TEST(Corpus, NamesTheFileAndThePlaceInIt) {
  const TemporaryFolder folder;
  const std::string good = folder.path("good");
  const std::string bad = folder.path("bad");
  write_bytes(good, "ab\ncd");
  write_bytes(bad, "e\n\xFF");
  EXPECT_EQ(Corpus({good, good}, TokenizerKind::kChar, false).text().view(), "ab\ncd\nab\ncd");
  EXPECT_EQ(Corpus({good, bad}, TokenizerKind::kByte, false).text().view(), "ab\ncd\ne\n\xFF");
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "'" + bad + "': byte 2 (line 2)", [&] {
    (void)Corpus({good, bad}, TokenizerKind::kChar, false);
  }));
}

}  // namespace
}  // namespace unroll
