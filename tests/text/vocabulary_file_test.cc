#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unroll/tokenizer.h"

namespace unroll {
namespace {

using Symbols = std::vector<std::string>;

// A vocabulary file of the given content.
class VocabularyFile : public testing::Test {
 protected:
  Tokenizer made_from(TokenizerKind kind, const std::string& content, const std::string& text = "a b ab\ncd\n") {
    write_bytes(path_, content);
    return Tokenizer::train({.kind = kind, .vocab_file = path_}, {text, "text"});
  }
  testing::AssertionResult refused(TokenizerKind kind, const std::string& content, const std::string& part) {
    return fails_with(ErrorCode::kInput, part, [&] { (void)made_from(kind, content); });
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.path("vocab.txt");
};

TEST_F(VocabularyFile, NumbersSymbolsByLine) {
  const Tokenizer tokenizer = made_from(TokenizerKind::kWhitespace, "cd\n<eos>\nab\n<unk>\nthe");
  EXPECT_EQ(tokenizer.vocabulary(), (Symbols{"cd", "<eos>", "ab", "<unk>", "the"}));
  EXPECT_EQ(tokenizer.boundary(), 1);
  EXPECT_EQ(tokenizer.unknown(), 3);
  EXPECT_EQ(tokenizer.encode({"cd x\n", "text"}).ids, (std::vector<std::int32_t>{0, 3, 1}));
}

TEST_F(VocabularyFile, MayBeginWithAByteOrderMark) {
  EXPECT_EQ(made_from(TokenizerKind::kWhitespace, "\xEF\xBB\xBFthe\nab\ncd\n").symbol(0), "the");
  EXPECT_TRUE(refused(TokenizerKind::kWhitespace, "\xFF\xFEt", "UTF-16"));
}

TEST_F(VocabularyFile, HasMissingSpecialSymbolsAppended) {
  EXPECT_EQ(made_from(TokenizerKind::kWord, "ab\ncd\n").vocabulary(), (Symbols{"ab", "cd", "<unk>", "<eos>"}));
  EXPECT_EQ(made_from(TokenizerKind::kWord, "ab\n<unk>\ncd\n").vocabulary(), (Symbols{"ab", "<unk>", "cd", "<eos>"}));
  EXPECT_EQ(made_from(TokenizerKind::kChar, "a\nb\n").vocabulary(), (Symbols{"a", "b", "<unk>", "\n"}));
}

TEST_F(VocabularyFile, EscapesNewlineTabCarriageReturnAndBackslash) {
  EXPECT_EQ(made_from(TokenizerKind::kChar, "\\n\n\\t\n\\\\\n\\r\na\nb\n").vocabulary(),
            (Symbols{"\n", "\t", "\\", "\r", "a", "b", "<unk>"}));
  EXPECT_EQ(made_from(TokenizerKind::kWhitespace, "ab\n\\\\n\ncd\n").vocabulary()[1], "\\n");
}

TEST_F(VocabularyFile, MayHaveCarriageReturnsAtItsLineEnds) {
  EXPECT_EQ(made_from(TokenizerKind::kChar, "a\r\nb\r\n \r\n").vocabulary(), (Symbols{"a", "b", " ", "<unk>", "\n"}));
}

TEST_F(VocabularyFile, IsRefusedWithTheLineThatIsWrong) {
  EXPECT_TRUE(refused(TokenizerKind::kWhitespace, "ab\ncd\nab\n", "line 3: \"ab\" is already in line 1"));
  EXPECT_TRUE(refused(TokenizerKind::kWhitespace, "ab\n\ncd\n", "line 2: the symbol is empty"));
  EXPECT_TRUE(refused(TokenizerKind::kWhitespace, "ab\n\r\ncd\n", "line 2: the symbol is empty"));
  EXPECT_TRUE(refused(TokenizerKind::kWhitespace, "ab\nthe 12\n", "line 2: the symbol contains white space"));
  EXPECT_TRUE(refused(TokenizerKind::kWhitespace, "ab\n\\alpha\n", "line 2: a backslash"));
  EXPECT_TRUE(refused(TokenizerKind::kChar, "a\n\\\n", "line 2: a backslash"));
  EXPECT_TRUE(refused(TokenizerKind::kChar, "a\nb\nab\n", "line 3: the symbol is more than one character"));
  EXPECT_TRUE(refused(TokenizerKind::kChar, "a\n\xFF\n", "line 2: the symbol is not UTF-8"));
  EXPECT_TRUE(refused(TokenizerKind::kChar, "", "is empty"));
}

TEST_F(VocabularyFile, MustKnowTwoSymbolsOfTheText) {
  EXPECT_TRUE(refused(TokenizerKind::kWhitespace, "ab\nx\ny\n", path_));
  EXPECT_TRUE(refused(TokenizerKind::kChar, "a\nx\ny\n", path_));
}

TEST_F(VocabularyFile, ThatIsMissingIsNamed) {
  const TokenizerOptions options{.kind = TokenizerKind::kChar, .vocab_file = folder_.path("none")};
  EXPECT_TRUE(fails_with(ErrorCode::kFile, folder_.path("none"), [&] {
    (void)Tokenizer::train(options, {"ab", "text"});
  }));
}

}  // namespace
}  // namespace unroll
