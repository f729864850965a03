#include "unroll/tokenizer.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/error_of.h"
#include "text/checked_text.h"

namespace unroll {
namespace {

using namespace std::string_literals;
using Ids = std::vector<std::int32_t>;
using Symbols = std::vector<std::string>;

constexpr TokenizerKind kAllKinds[] = {TokenizerKind::kChar, TokenizerKind::kByte, TokenizerKind::kWord,
                                       TokenizerKind::kWhitespace};

TokenizerOptions of(TokenizerKind kind) { return {.kind = kind}; }

Tokenizer trained(const TokenizerOptions& options, std::string_view text) {
  return Tokenizer::train(options, {text, "text"});
}

// The symbols of an encoded text.
Symbols symbols_of(const Tokenizer& tokenizer, std::string_view text) {
  Symbols symbols;
  for (const std::int32_t id : tokenizer.encode({text, "text"}).ids) symbols.push_back(tokenizer.symbol(id));
  return symbols;
}

// The text written for the ids of a text.
std::string written_again(const Tokenizer& tokenizer, std::string_view text) {
  std::string out;
  std::int32_t previous = -1;
  for (const std::int32_t id : tokenizer.encode({text, "text"}).ids) {
    out += tokenizer.written(previous, id);
    previous = id;
  }
  return out;
}

bool lossless(const Tokenizer& tokenizer, std::string_view text) { return tokenizer.encode({text, "text"}).lossless; }

TEST(Tokenizer, KindsAreKnownByTheirNames) {
  for (const TokenizerKind kind : kAllKinds) EXPECT_EQ(parse_tokenizer_kind(tokenizer_kind_name(kind)), kind);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "whitespace", [] { (void)parse_tokenizer_kind("bpe"); }));
}

TEST(CharTokenizer, OrdersCharactersByCodePointAfterTheUnknownSymbol) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kChar), "bcaβ\U0001F600bb");
  EXPECT_EQ(tokenizer.vocabulary(), (Symbols{"<unk>", "\n", "a", "b", "c", "β", "\U0001F600"}));
  EXPECT_EQ(tokenizer.unknown(), 0);
  EXPECT_EQ(tokenizer.boundary(), 1);
  EXPECT_EQ(tokenizer.size(), 7);
}

TEST(CharTokenizer, CountsCharactersBytesAndUnknownOnes) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kChar), "abä");
  const EncodedText encoded = tokenizer.encode({"aäx\U0001F600\n", "text"});
  EXPECT_EQ(encoded.ids, (Ids{2, 4, 0, 0, 1}));
  EXPECT_EQ(encoded.bytes, 9);
  EXPECT_EQ(encoded.characters, 5);
  EXPECT_EQ(encoded.unknown, 2);
  EXPECT_FALSE(encoded.lossless);
  EXPECT_TRUE(lossless(tokenizer, "ab\nä"));
}

TEST(CharTokenizer, KeepsCarriageReturnsNulBytesAndByteOrderMarks) {
  const std::string text =
      "\xEF\xBB\xBF"
      "a\r\nb\0c\r\n"s;
  const Tokenizer tokenizer = trained(of(TokenizerKind::kChar), text);
  EXPECT_EQ(tokenizer.vocabulary(), (Symbols{"<unk>", "\0"s, "\n", "\r", "a", "b", "c", "\xEF\xBB\xBF"}));
  EXPECT_EQ(written_again(tokenizer, text), text);
  EXPECT_TRUE(lossless(tokenizer, text));
}

TEST(CharTokenizer, GivesEachTokenItsPlaceInTheLine) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kChar), "aä");
  const std::vector<Token> tokens = tokenizer.encode_line({"aäxa", "line 1"});
  ASSERT_EQ(tokens.size(), 4U);
  EXPECT_EQ(tokens[1].id, 3);
  EXPECT_EQ(tokens[1].offset, 1);
  EXPECT_EQ(tokens[1].length, 2);
  EXPECT_EQ(tokens[2].id, tokenizer.unknown());
  EXPECT_EQ(tokens[3].offset, 4);
}

TEST(CharTokenizer, TakesACarriageReturnThatItLacksForAPartOfTheLineEnd) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kChar), "ab\n");
  EXPECT_EQ(symbols_of(tokenizer, "a\r\nb\r\n\r\n"), symbols_of(tokenizer, "a\nb\n\n"));
  EXPECT_EQ(symbols_of(tokenizer, "a\r"), (Symbols{"a"}));
  EXPECT_EQ(symbols_of(tokenizer, "a\rb\r\r\n"), (Symbols{"a", "<unk>", "b", "<unk>", "\n"}));
  EXPECT_FALSE(tokenizer.encode({"a\r\n", "text"}).lossless);
  EXPECT_TRUE(tokenizer.encode({"a\n", "text"}).lossless);
  const std::vector<Token> line = tokenizer.encode_line({"a\r\nb\r", "line 1"});
  ASSERT_EQ(line.size(), 3U);
  EXPECT_EQ(line[2].offset, 3);
  const Tokenizer knows = trained(of(TokenizerKind::kChar), "ab\r\n");
  EXPECT_EQ(symbols_of(knows, "a\r\n"), (Symbols{"a", "\r", "\n"}));
  EXPECT_EQ(knows.encode_line({"a\r", "line 1"}).size(), 2U);
}

TEST(ByteTokenizer, HasAllBytesByValueAndNoUnknownSymbol) {
  std::string text;
  for (int value = 255; value >= 0; --value) text += static_cast<char>(static_cast<unsigned char>(value));
  const Tokenizer tokenizer = trained(of(TokenizerKind::kByte), "ab");
  EXPECT_EQ(tokenizer.size(), 256);
  EXPECT_EQ(tokenizer.unknown(), -1);
  EXPECT_EQ(tokenizer.boundary(), 10);
  EXPECT_EQ(tokenizer.symbol(255), "\xFF");
  const EncodedText encoded = tokenizer.encode({text, "text"});
  EXPECT_EQ(encoded.ids.front(), 255);
  EXPECT_EQ(encoded.ids.back(), 0);
  EXPECT_EQ(encoded.characters, 256);
  EXPECT_TRUE(encoded.lossless);
  EXPECT_EQ(written_again(tokenizer, text), text);
  EXPECT_EQ(tokenizer.encode({"aä", "text"}).characters, 2);
  EXPECT_EQ(tokenizer.encode_line({"a\xFF", "line 1"})[1].offset, 1);
}

TEST(WhitespaceTokenizer, CountsATextThatIsPreparedAsPennTreebankIs) {
  const std::string text = " the <unk> of the N \n of the bank \n\n the N\n";
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWhitespace), text);
  EXPECT_EQ(tokenizer.vocabulary(), (Symbols{"<unk>", "<eos>", "the", "N", "of", "bank"}));
  const EncodedText encoded = tokenizer.encode({text, "text"});
  EXPECT_EQ(encoded.ids, (Ids{2, 0, 4, 2, 3, 1, 4, 2, 5, 1, 1, 2, 3, 1}));
  EXPECT_EQ(encoded.unknown, 1);
  EXPECT_EQ(encoded.bytes, std::ssize(text));
  EXPECT_FALSE(encoded.lossless);
}

TEST(WhitespaceTokenizer, EndsALastLineWithoutNewlineToo) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWhitespace), "a b");
  EXPECT_EQ(symbols_of(tokenizer, "a b"), (Symbols{"a", "b", "<eos>"}));
  EXPECT_EQ(symbols_of(tokenizer, "a b\n"), (Symbols{"a", "b", "<eos>"}));
  EXPECT_EQ(symbols_of(tokenizer, "\n"), (Symbols{"<eos>"}));
  EXPECT_TRUE(symbols_of(tokenizer, "").empty());
}

TEST(WhitespaceTokenizer, DropsTheCarriageReturnOfALineEnd) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWhitespace), "a b\r\nb c\r\na\r");
  EXPECT_EQ(tokenizer.vocabulary(), (Symbols{"<unk>", "<eos>", "a", "b", "c"}));
  EXPECT_EQ(symbols_of(tokenizer, "a\r\nb\r"), (Symbols{"a", "<eos>", "b", "<eos>"}));
  EXPECT_EQ(tokenizer.encode_line({"a b\r", "line 1"}).size(), 2U);
}

TEST(WhitespaceTokenizer, IsLosslessForTextAsItWritesIt) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWhitespace), "a b cc");
  for (const std::string text : {"a b\ncc\n", "\n\na\n", "a\n", ""}) {
    EXPECT_TRUE(lossless(tokenizer, text)) << text;
    EXPECT_EQ(written_again(tokenizer, text), text);
  }
  for (const std::string text :
       {"a b", " a\n", "a \n", "a  b\n", "a\tb\n", "a\r\n", "a b\n ", "a x\n", "a <unk>\n", " \n", "\r\n"}) {
    EXPECT_FALSE(lossless(tokenizer, text)) << text;
  }
  const Tokenizer lower = trained({.kind = TokenizerKind::kWhitespace, .lowercase = true}, "a b cc");
  EXPECT_TRUE(lossless(lower, "a b\n"));
  EXPECT_FALSE(lossless(lower, "A b\n"));
}

TEST(WhitespaceTokenizer, TakesNulBytesAndBrokenLookingWordsAsTheyAre) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWhitespace), "a\0b \\n <eos>x\n"s);
  EXPECT_EQ(symbols_of(tokenizer, "a\0b \\n <eos>x"s), (Symbols{"a\0b"s, "\\n", "<eos>x", "<eos>"}));
}

TEST(WordTokenizer, CutsAtUnicodeWordBoundaries) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWord), "I can't pay $3.50, \"Ö-l\"!  e\u0301 x\u00A0y");
  EXPECT_EQ(
      symbols_of(tokenizer, "I can't pay $3.50, \"Ö-l\"!  e\u0301 x\u00A0y"),
      (Symbols{"I", "can't", "pay", "$", "3.50", ",", "\"", "Ö", "-", "l", "\"", "!", "e\u0301", "x", "y", "<eos>"}));
  EXPECT_FALSE(lossless(tokenizer, "x y\n"));
}

TEST(WordTokenizer, FindsWordsInScriptsWithoutSpaces) {
  const std::string text = "这是一个问题。\nสวัสดีครับ\n";
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWord), text);
  EXPECT_GT(tokenizer.encode({text, "text"}).ids.size(), 6U);
  EXPECT_LT(tokenizer.encode({text, "text"}).ids.size(), 14U);
}

TEST(WordTokenizer, TurnsEachLineEndIntoTheBoundary) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWord), "a b\r\nc\n\nd\r");
  EXPECT_EQ(symbols_of(tokenizer, "a b\r\nc\n\nd\r"),
            (Symbols{"a", "b", "<eos>", "c", "<eos>", "<eos>", "d", "<eos>"}));
  EXPECT_EQ(tokenizer.encode_line({"a b\r", "line 1"}).size(), 2U);
}

TEST(WordTokenizer, TreatsSpecialSymbolsInTheTextAsWords) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWord), "<eos> <unk>");
  EXPECT_EQ(symbols_of(tokenizer, "<eos>"), (Symbols{"<", "eos", ">", "<eos>"}));
}

TEST(WordTokenizer, KeepsOffsetsOfTheOriginalWhenItFoldsCase) {
  const Tokenizer tokenizer = trained({.kind = TokenizerKind::kWord, .lowercase = true}, "the İi ΟΔΟΣ");
  // İ (2 bytes) folds to i and a combining dot (3 bytes); a Σ at the end of a word folds to ς.
  const std::string line = "İI THE Ὀδός ΟΔΟΣ";
  const std::vector<Token> tokens = tokenizer.encode_line({line, "line 1"});
  ASSERT_EQ(tokens.size(), 4U);
  EXPECT_EQ(tokenizer.symbol(tokens[0].id), "i\u0307i");
  EXPECT_EQ(tokenizer.symbol(tokens[1].id), "the");
  EXPECT_EQ(tokens[2].id, tokenizer.unknown());
  EXPECT_EQ(tokenizer.symbol(tokens[3].id), "οδος");
  const auto original = [&line](const Token& token) {
    return line.substr(static_cast<std::size_t>(token.offset), static_cast<std::size_t>(token.length));
  };
  EXPECT_EQ(original(tokens[0]), "İI");
  EXPECT_EQ(original(tokens[1]), "THE");
  EXPECT_EQ(original(tokens[2]), "Ὀδός");
  EXPECT_EQ(original(tokens[3]), "ΟΔΟΣ");
}

TEST(WordTokenizer, LeavesOutTheSpaceThatACombiningMarkJoins) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWord), "a \u0301b");
  EXPECT_EQ(symbols_of(tokenizer, "a \u0301b"), (Symbols{"a", "\u0301", "b", "<eos>"}));
}

TEST(Tokenizer, ReadsANewlineWithinALineAsTheBoundary) {
  for (const TokenizerKind kind : kAllKinds) {
    const Tokenizer tokenizer = trained(of(kind), "a b");
    const std::vector<Token> tokens = tokenizer.encode_line({"a\nb", "line 1"});
    ASSERT_EQ(tokens.size(), 3U);
    EXPECT_EQ(tokens[1].id, tokenizer.boundary());
    EXPECT_EQ(tokens[1].offset, 1);
  }
}

TEST(Tokenizer, GivesALineTheIdsThatTheTextHas) {
  const std::string line = "It's 3 o'clock,  said İda\t(twice).";
  for (const TokenizerKind kind : kAllKinds) {
    const Tokenizer tokenizer = trained(of(kind), "It's 4 said İd\na (twice).");
    Ids ids;
    for (const Token& token : tokenizer.encode_line({line, "line 1"})) ids.push_back(token.id);
    ids.push_back(tokenizer.boundary());
    EXPECT_EQ(ids, tokenizer.encode({line + "\n", "text"}).ids);
  }
}

TEST(Tokenizer, WritesWordsWithTheSpacesThatBelongThere) {
  const std::string text = "He said (twice): “Go, ‘Bob’!” 5% [x] {y} don't; no? yes.\nNew line.\n";
  EXPECT_EQ(written_again(trained(of(TokenizerKind::kWord), text), text), text);
  const Tokenizer whitespace = trained(of(TokenizerKind::kWhitespace), "a , b");
  EXPECT_EQ(written_again(whitespace, "a , b"), "a , b\n");
}

TEST(Tokenizer, IsSharedByThreads) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "It's ÉTÉ " + std::to_string(i % 50) + ", 中文分词\n";
  const Tokenizer tokenizer = trained({.kind = TokenizerKind::kWord, .lowercase = true}, text);
  const Ids expected = tokenizer.encode({text, "text"}).ids;
  std::array<Ids, 4> found;
  std::vector<std::thread> threads;
  for (Ids& ids : found) threads.emplace_back([&] { ids = tokenizer.encode({text, "text"}).ids; });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& ids : found) EXPECT_EQ(ids, expected);
}

// Vocabularies.

TEST(Vocabulary, OrdersWordsByFallingCountAndTiesByBytes) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWhitespace), "b a Z c c é a\nb b");
  EXPECT_EQ(tokenizer.vocabulary(), (Symbols{"<unk>", "<eos>", "b", "a", "c", "Z", "é"}));
}

TEST(Vocabulary, OfALimitedSizeKeepsTheMostFrequentAndTheSpecialOnes) {
  const TokenizerOptions words{.kind = TokenizerKind::kWhitespace, .vocab_size = 4};
  EXPECT_EQ(trained(words, "c b c a b c d").vocabulary(), (Symbols{"<unk>", "<eos>", "c", "b"}));
  const TokenizerOptions characters{.kind = TokenizerKind::kChar, .vocab_size = 5};
  EXPECT_EQ(trained(characters, "zzaxyyyz").vocabulary(), (Symbols{"<unk>", "\n", "a", "y", "z"}));
}

TEST(Vocabulary, DropsRareSymbols) {
  const TokenizerOptions words{.kind = TokenizerKind::kWhitespace, .min_count = 2};
  EXPECT_EQ(trained(words, "c b c a b c d").vocabulary(), (Symbols{"<unk>", "<eos>", "c", "b"}));
  const TokenizerOptions characters{.kind = TokenizerKind::kChar, .min_count = 2};
  EXPECT_EQ(trained(characters, "aab\nbc").vocabulary(), (Symbols{"<unk>", "\n", "a", "b"}));
  const TokenizerOptions rare{.kind = TokenizerKind::kChar, .min_count = 3};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "`tokenizer.min_count` 3", [&] { (void)trained(rare, "aabbb"); }));
}

TEST(Vocabulary, RoundTrips) {
  for (const TokenizerKind kind : kAllKinds) {
    const Tokenizer before = trained(of(kind), "one two\nthree\0two ä"s);
    const Tokenizer after = Tokenizer::from_vocabulary(before.kind(), before.lowercase(), before.vocabulary());
    EXPECT_EQ(after.vocabulary(), before.vocabulary());
    EXPECT_EQ(after.boundary(), before.boundary());
    EXPECT_EQ(after.unknown(), before.unknown());
    EXPECT_EQ(after.encode({"two one x\n", "text"}).ids, before.encode({"two one x\n", "text"}).ids);
  }
}

TEST(Vocabulary, MayHaveItsSpecialSymbolsAnywhere) {
  const Tokenizer characters = Tokenizer::from_vocabulary(TokenizerKind::kChar, false, {"b", "\n", "<unk>", "a"});
  EXPECT_EQ(characters.encode({"ab\nx", "text"}).ids, (Ids{3, 0, 1, 2}));
  const Tokenizer words = Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, {"b", "<eos>", "<unk>"});
  EXPECT_EQ(words.encode({"b x\n", "text"}).ids, (Ids{0, 2, 1}));
}

TEST(Vocabulary, WithoutUnkRefusesOtherSymbolsAndSaysWhere) {
  const Tokenizer characters = Tokenizer::from_vocabulary(TokenizerKind::kChar, false, {"\n", "a", "é"});
  EXPECT_EQ(characters.unknown(), -1);
  EXPECT_EQ(characters.encode({"aé\na", "text"}).ids, (Ids{1, 2, 0, 1}));
  EXPECT_TRUE(characters.encode({"aé\na", "text"}).lossless);
  const auto refused = [](const std::string& part, const auto& f) { return fails_with(ErrorCode::kInput, part, f); };
  EXPECT_TRUE(refused("'book.txt', line 2, column 3: the character \"x\" is not in the vocabulary of 3 symbols", [&] {
    (void)characters.encode({"a\néax", "'book.txt'"});
  }));
  EXPECT_TRUE(refused("line 7, column 2: the character \"X\"", [&] {
    (void)characters.encode_line({"éX", "line 7"});
  }));
  const Tokenizer words = Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, {"<eos>", "the", "cät"});
  EXPECT_EQ(words.encode({"the cät\n", "text"}).ids, (Ids{1, 2, 0}));
  EXPECT_TRUE(refused("'book.txt', line 2, column 5: the word \"dog\"", [&] {
    (void)words.encode({"the\ncät dog\n", "'book.txt'"});
  }));
  EXPECT_TRUE(refused("line 1, column 9: the word \"<unk>\"", [&] {
    (void)words.encode_line({"the cät <unk>", "line 1"});
  }));
}

// The part of a text that is held out is named by its lines in the whole text.
TEST(Vocabulary, WithoutUnkNamesTheLineInTheWholeText) {
  const Tokenizer tokenizer = Tokenizer::from_vocabulary(TokenizerKind::kChar, false, {"\n", "a"});
  const CheckedText text(TokenizerKind::kChar, false, {"aa\naa\naax\n", "'book.txt'"});
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "'book.txt', line 3, column 3",
                         [&] { (void)tokenizer.encode_checked(text.from(4).from(1)); }));
}

TEST(Vocabulary, WithoutALineEndHasNoIdForIt) {
  const Tokenizer characters = Tokenizer::from_vocabulary(TokenizerKind::kChar, false, {"a", "<unk>"});
  EXPECT_EQ(characters.boundary(), -1);
  const EncodedText text = characters.encode({"ab\n\na\n", "text"});
  EXPECT_EQ(text.ids, (Ids{0, 1, -1, -1, 0, -1}));
  EXPECT_EQ(text.unknown, 1);
  EXPECT_FALSE(text.lossless);
  EXPECT_TRUE(characters.encode({"aa", "text"}).lossless);
  const Tokenizer words = Tokenizer::from_vocabulary(TokenizerKind::kWhitespace, false, {"the", "cat"});
  EXPECT_EQ(words.encode({"the cat\ncat", "text"}).ids, (Ids{0, 1, -1, 1, -1}));
  EXPECT_EQ(words.encode_line({"the cat", "line"}).size(), 2U);
}

TEST(Vocabulary, OfAFileIsRefusedIfItIsInvalid) {
  const auto refused = [](TokenizerKind kind, const Symbols& symbols, const std::string& part) {
    return fails_with(ErrorCode::kFormat, part, [&] { (void)Tokenizer::from_vocabulary(kind, false, symbols); });
  };
  EXPECT_TRUE(refused(TokenizerKind::kChar, {"<unk>", "\n", "a", "a"}, "2 and 3"));
  EXPECT_TRUE(refused(TokenizerKind::kChar, {"<unk>", "\n", "ab"}, "symbol 2 is more than one character"));
  EXPECT_TRUE(refused(TokenizerKind::kChar, {"<unk>", "\n", ""}, "empty"));
  EXPECT_TRUE(refused(TokenizerKind::kChar, {"<unk>", "\n", "\xFF"}, "not UTF-8"));
  EXPECT_TRUE(refused(TokenizerKind::kWord, {"<unk>", "<eos>", "a b"}, "white space"));
  EXPECT_TRUE(refused(TokenizerKind::kWord, {}, "no symbols"));
  EXPECT_TRUE(refused(TokenizerKind::kByte, Symbols(256, "a"), "256"));
  EXPECT_TRUE(refused(TokenizerKind::kByte, {}, "256"));
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "lower case", [] {
    (void)Tokenizer::from_vocabulary(TokenizerKind::kChar, true, {"<unk>", "\n", "a"});
  }));
}

// Refusals.

TEST(Tokenizer, RefusesATextWithNothingToLearn) {
  for (const TokenizerKind kind : kAllKinds) {
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "text: the text is empty", [&] { (void)trained(of(kind), ""); }));
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "text: ", [&] { (void)trained(of(kind), "aaaa"); }));
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "text: ", [&] { (void)trained(of(kind), "a\na\n"); }));
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "text: ", [&] { (void)trained(of(kind), "\n\n\n"); }));
    EXPECT_FALSE(error_of([&] { (void)trained(of(kind), "a b"); }));
  }
  for (const TokenizerKind kind : {TokenizerKind::kWord, TokenizerKind::kWhitespace}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "no word", [&] { (void)trained(of(kind), " \n\t\r\n "); }));
  }
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "fewer than two",
                         [] { (void)trained(of(TokenizerKind::kWhitespace), "a <unk> a"); }));
}

TEST(Tokenizer, NamesThePlaceOfBytesThatAreNotUtf8) {
  for (const TokenizerKind kind : {TokenizerKind::kChar, TokenizerKind::kWord, TokenizerKind::kWhitespace}) {
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "text: byte 4 (line 2)", [&] { (void)trained(of(kind), "a b\n\xE4"); }));
    const Tokenizer tokenizer = trained(of(kind), "a b");
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "file.txt: byte 2 (line 2)", [&] {
      (void)tokenizer.encode({"a\n\xC3", "file.txt"});
    }));
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 9: byte 1: 0xff", [&] {
      (void)tokenizer.encode_line({"a\xFF", "line 9"});
    }));
  }
}

TEST(Tokenizer, RefusesTheEndOfLineSymbolInWhitespaceText) {
  const TokenizerOptions options = of(TokenizerKind::kWhitespace);
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 2", [&] { (void)trained(options, "a b\n<eos> c"); }));
  const Tokenizer tokenizer = trained(options, "a b");
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 1", [&] { (void)tokenizer.encode({"a <eos>", "text"}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 7", [&] { (void)tokenizer.encode_line({"<eos>", "line 7"}); }));
}

TEST(Tokenizer, RefusesOptionsThatDoNotFitTheKind) {
  const auto refused = [](const TokenizerOptions& options, const std::string& flag) {
    return fails_with(ErrorCode::kUsage, flag, [&] { (void)trained(options, "a b c d"); });
  };
  EXPECT_TRUE(refused({.kind = TokenizerKind::kChar, .lowercase = true}, "`tokenizer.lowercase`"));
  EXPECT_TRUE(refused({.kind = TokenizerKind::kByte, .lowercase = true}, "`tokenizer.lowercase`"));
  EXPECT_TRUE(refused({.kind = TokenizerKind::kByte, .vocab_size = 100}, "`tokenizer.vocab_size`"));
  EXPECT_TRUE(refused({.kind = TokenizerKind::kByte, .min_count = 2}, "`tokenizer.min_count`"));
  EXPECT_TRUE(refused({.kind = TokenizerKind::kByte, .vocab_file = "vocab.txt"}, "`tokenizer.vocab_file`"));
  EXPECT_TRUE(refused({.kind = TokenizerKind::kWord, .vocab_size = 3}, "at least 4"));
  EXPECT_TRUE(refused({.kind = TokenizerKind::kWord, .vocab_size = -1}, "`tokenizer.vocab_size` is -1"));
  EXPECT_TRUE(refused({.kind = TokenizerKind::kWord, .min_count = 0}, "`tokenizer.min_count` is 0"));
  EXPECT_TRUE(
      refused({.kind = TokenizerKind::kWord, .min_count = 2, .vocab_file = "vocab.txt"}, "`tokenizer.min_count`"));
}

TEST(Tokenizer, RefusesAnIdThatItDoesNotHave) {
  const Tokenizer tokenizer = trained(of(TokenizerKind::kWord), "a b");
  for (const std::int32_t id : {-1, 4, std::numeric_limits<std::int32_t>::max()}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "vocabulary of 4", [&] { (void)tokenizer.symbol(id); }));
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "vocabulary of 4", [&] { (void)tokenizer.written(-1, id); }));
  }
}

}  // namespace
}  // namespace unroll
