#include "text/word_vectors.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/temporary_folder.h"

namespace unroll {
namespace {

class WordVectorFiles : public testing::Test {
 protected:
  WordVectors read(const std::string& bytes) {
    write_bytes(folder_.path("vectors"), bytes);
    return read_word_vectors(folder_.path("vectors"), kWords);
  }

  testing::AssertionResult refuses(const std::string& bytes, const std::string& part) {
    return fails_with(ErrorCode::kInput, part, [&] { static_cast<void>(read(bytes)); });
  }

  const std::vector<std::string> kWords{"<unk>", "<eos>", "cat", "Dog", "\xC3\x89t\xC3\xA9", "new york"};
  TemporaryFolder folder_;
};

TEST_F(WordVectorFiles, OfWord2VecFastTextAndGloveAreRead) {
  for (const std::string bytes : {"3 2\ncat 1 2\nbird 3 4\nDog 5 -6e-1\n",
                                  "3 2\r\ncat 1 2 \r\nbird 3 4 \r\nDog 5 -.6 \r\n", "cat 1 2\nbird 3 4\nDog 5 -0.6",
                                  "\xEF\xBB\xBF"
                                  "cat\t1\t2\n\nbird 3 4\nDog  +5  -0.6\n"}) {
    const WordVectors vectors = read(bytes);
    EXPECT_EQ(vectors.dimension, 2);
    EXPECT_EQ(vectors.in_file, 3);
    EXPECT_EQ(vectors.ids, (std::vector<std::int32_t>{2, 3}));
    EXPECT_EQ(vectors.numbers, (std::vector<float>{1, 2, 5, -0.6F}));
    EXPECT_TRUE(vectors.repeated.empty());
  }
}

TEST_F(WordVectorFiles, AWordTakesTheVectorOfItsLowerCaseUnlessItHasItsOwn) {
  const WordVectors lower = read("dog 1 2\n\xC3\xA9t\xC3\xA9 3 4\nCat 5 6\n");
  EXPECT_EQ(lower.ids, (std::vector<std::int32_t>{3, 4}));
  EXPECT_EQ(lower.numbers, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(lower.from_lower_case, 2);
  const WordVectors own = read("dog 1 2\nDog 7 8\n");
  EXPECT_EQ(own.numbers, (std::vector<float>{7, 8}));
  EXPECT_EQ(own.from_lower_case, 0);
}

TEST_F(WordVectorFiles, TheFirstVectorOfAWordCounts) {
  const WordVectors vectors = read("cat 1 2\nbird 0 0\nbird 0 0\ncat 3 4\n");
  EXPECT_EQ(vectors.numbers, (std::vector<float>{1, 2}));
  EXPECT_EQ(vectors.in_file, 4);
  EXPECT_EQ(vectors.repeated, std::vector<std::string>{"cat"});
}

TEST_F(WordVectorFiles, WordsMayHoldBlanksAndAnyBytes) {
  const WordVectors vectors = read("cat 1 2\n. . . 3 4\nnew york 5 6\n\xFF\xFE 7 8\n 9 9\n7 1 1\n");
  EXPECT_EQ(vectors.in_file, 6);
  EXPECT_EQ(vectors.ids, (std::vector<std::int32_t>{2, 5}));
  EXPECT_EQ(vectors.numbers, (std::vector<float>{1, 2, 5, 6}));
  EXPECT_EQ(read("7 1 1\ncat 1 2\n").dimension, 2) << "a word may be a number";
}

TEST_F(WordVectorFiles, AnotherNumberOfNumbersIsRefusedWithItsLine) {
  EXPECT_TRUE(refuses("cat 1 2\n\nbird 3\n", "line 3: 1 numbers after the word: expected 2"));
  EXPECT_TRUE(refuses("2 3\ncat 1 2 3\nbird 3 4 5 6\n", "line 3: 4 numbers after the word: expected 3"));
  EXPECT_TRUE(refuses("2 2\ncat 1 2\nbird\n", "line 3: 0 numbers after the word"));
  EXPECT_TRUE(refuses("cat\nbird\n", "line 1: vectors of 0 numbers"));
  EXPECT_TRUE(refuses("5 0\ncat\n", "line 1: vectors of 0 numbers"));
  EXPECT_TRUE(refuses("5 " + std::string(400, '9') + "\n", "line 1: vectors of inf numbers"));
}

TEST_F(WordVectorFiles, WhatIsNotAFiniteNumberIsRefusedInAVectorThatIsKept) {
  for (const std::string bad : {"nan", "inf", "1e39", "x", "0x1"}) {
    EXPECT_TRUE(refuses("bird 1 2\ncat 1 " + bad + "\n", "line 2: \"" + bad + "\" in the vector of \"cat\"")) << bad;
  }
}

TEST_F(WordVectorFiles, AFileThatWasCutShortIsRefused) {
  EXPECT_TRUE(refuses("3 2\ncat 1 2\nbird 3 4\n", "announces 3 vectors in its first line and holds 2"));
  EXPECT_TRUE(refuses("1 2\ncat 1 2\nbird 3 4\n", "announces 1 vectors in its first line and holds 2"));
  EXPECT_TRUE(refuses("", "holds no word vectors"));
  EXPECT_TRUE(refuses("3 2\n", "holds no word vectors"));
}

}  // namespace
}  // namespace unroll
