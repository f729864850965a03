#include "text/word_splitter.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll {
namespace {

using Words = std::vector<std::string>;

Words words_of(const WordSplitter& splitter, std::string_view text) {
  Words words;
  splitter.split(text, [&](std::string_view, std::string_view word) { words.emplace_back(word); });
  return words;
}

// A text without a newline, of about `size` bytes, its words drawn from `parts`.
std::string drawn_text(const Words& parts, std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::size_t> draw(0, parts.size() - 1);
  std::string text;
  while (text.size() < size) text += parts[draw(random)];
  return text;
}

// The places of the windows must have no effect: leading spaces move them, but add no word.
void expect_words_to_stay_when_moved(const std::string& text) {
  const WordSplitter splitter(TokenizerKind::kWord, false);
  const Words words = words_of(splitter, text);
  for (const std::size_t by : {1U, 2U, 3U, 1000U, 40000U}) {
    EXPECT_TRUE(words_of(splitter, std::string(by, ' ') + text) == words) << "moved by " << by;
  }
}

TEST(WordSplitter, FindsTheSameWordsForAnyWindows) {
  const Words english = {
      "one ", "can't ", "3.50, ", "(a) ", "e\u0301 ", "  ", " \u0301", "x\u3000", "\U0001F468\u200D\U0001F469 "};
  expect_words_to_stay_when_moved(drawn_text(english, 300000, 1));
  expect_words_to_stay_when_moved("\u3000" +
                                  drawn_text({"naïve\u3000", "a'b\u00A0", "\U0001F1E9\U0001F1EA"}, 300000, 2));
}

TEST(WordSplitter, FindsTheSameChineseWordsForAnyWindows) {
  expect_words_to_stay_when_moved(
      drawn_text({"中文", "分词", "是", "一个", "问题", "。", "日本語の", "カタカナ"}, 200000, 3));
}

TEST(WordSplitter, GivesBackEveryByteThatIsNotWhiteSpace) {
  const std::string text = drawn_text({"wörd", "中文", "\u0301", "1.5", "\u3000", " ", "'", "-"}, 200000, 4);
  std::string without_space;
  for (std::size_t at = 0; at < text.size();) {
    const bool wide_space = text.compare(at, 3, "\u3000") == 0;
    if (!wide_space && text[at] != ' ') without_space += text[at];
    at += wide_space ? 3 : 1;
  }
  std::string pieces;
  for (const std::string& word : words_of(WordSplitter(TokenizerKind::kWord, false), text)) pieces += word;
  EXPECT_TRUE(pieces == without_space);
}

TEST(WordSplitter, TakesALineOfFiveMegabytes) {
  std::string text;
  while (text.size() < 5000000) text += "It's only words, ";
  for (const TokenizerKind kind : {TokenizerKind::kWord, TokenizerKind::kWhitespace}) {
    const WordSplitter splitter(kind, false);
    std::size_t pieces = 0;
    splitter.split(text, [&pieces](std::string_view, std::string_view) { ++pieces; });
    EXPECT_EQ(pieces, text.size() / 17 * (kind == TokenizerKind::kWord ? 4 : 3));
  }
}

TEST(WordSplitter, KeepsAWordWholeThatIsLongerThanItsWindow) {
  const std::string word(5000000, 'w');
  EXPECT_TRUE(words_of(WordSplitter(TokenizerKind::kWord, false), "a " + word + " b") == (Words{"a", word, "b"}));
}

TEST(WordSplitter, FoldsALongWordWhole) {
  std::string upper;
  std::string lower;
  for (int i = 0; i < 100000; ++i) {
    upper += "AÄ";
    lower += "aä";
  }
  for (const TokenizerKind kind : {TokenizerKind::kWord, TokenizerKind::kWhitespace}) {
    EXPECT_TRUE(words_of(WordSplitter(kind, true), upper) == Words{lower});
  }
}

TEST(WordSplitter, PointsIntoTheTextAndSaysWhatIsUnchanged) {
  const std::string text = "The ünd\n";
  const WordSplitter splitter(TokenizerKind::kWord, true);
  std::vector<std::pair<std::size_t, bool>> places;
  splitter.split(text, [&](std::string_view piece, std::string_view word) {
    places.emplace_back(piece.data() - text.data(), piece.data() == word.data());
  });
  EXPECT_EQ(places, (std::vector<std::pair<std::size_t, bool>>{{0, false}, {4, true}, {8, true}}));
}

}  // namespace
}  // namespace unroll
