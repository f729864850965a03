#include "write/text_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll {
namespace {

using Pieces = std::vector<std::string>;

// What comes out when `bytes` go in one by one.
Pieces byte_by_byte(std::string_view bytes, const std::vector<std::string>& stops = {}) {
  Pieces pieces;
  TextStream stream(stops);
  const auto take = [&pieces](std::string& piece) {
    if (!piece.empty()) pieces.push_back(std::exchange(piece, {}));
  };
  std::string piece;
  for (const char byte : bytes) {
    const bool stopped = stream.append(std::string_view(&byte, 1), piece);
    take(piece);
    if (stopped) return pieces;
  }
  stream.finish(piece);
  take(piece);
  return pieces;
}

std::string joined(const Pieces& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  return all;
}

TEST(TextStream, HandsOutWholeCharacters) {
  EXPECT_EQ(byte_by_byte("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z"),
            (Pieces{"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "z"}));
}

TEST(TextStream, LeavesOutAnUnfinishedLastCharacter) {
  EXPECT_EQ(byte_by_byte("a\xC3"), (Pieces{"a"}));
  EXPECT_EQ(byte_by_byte("a\xE2\x82"), (Pieces{"a"}));
  EXPECT_EQ(byte_by_byte("a\xF0\x9F\x98"), (Pieces{"a"}));
}

TEST(TextStream, PassesOnBytesThatAreNotUtf8) {
  EXPECT_EQ(byte_by_byte("\xFF\x80g"), (Pieces{"\xFF", "\x80", "g"}));
  EXPECT_EQ(byte_by_byte("\xC0\xAF"), (Pieces{"\xC0", "\xAF"}));          // overlong
  EXPECT_EQ(byte_by_byte("\xC3g"), (Pieces{"\xC3g"}));                    // second byte missing
  EXPECT_EQ(byte_by_byte("\xE2\x82g"), (Pieces{"\xE2\x82g"}));            // third byte missing
  EXPECT_EQ(byte_by_byte("\xE2\xC3\xA9"), (Pieces{"\xE2", "\xC3\xA9"}));  // a character inside another
  EXPECT_EQ(byte_by_byte("\xED\xA0"), (Pieces{"\xED\xA0"}));              // a surrogate never becomes a character
  EXPECT_EQ(byte_by_byte("\xF4\x90"), (Pieces{"\xF4\x90"}));              // above U+10FFFF
}

TEST(TextStream, EndsBeforeTheStopString) {
  std::string text;
  TextStream stream({"END"});
  EXPECT_FALSE(stream.append("so E", text));
  EXPECT_EQ(text, "so ");
  EXPECT_FALSE(stream.append("N", text));
  EXPECT_EQ(text, "so ");
  EXPECT_TRUE(stream.append("D more", text));
  EXPECT_EQ(text, "so ");
}

TEST(TextStream, HandsOutABeginningOfTheStopStringThatCameToNothing) {
  std::string text;
  TextStream stream({"aab"});
  EXPECT_FALSE(stream.append("a", text));
  EXPECT_FALSE(stream.append("a", text));
  EXPECT_EQ(text, "");
  EXPECT_FALSE(stream.append("a", text));  // "aa" may still begin it
  EXPECT_EQ(text, "a");
  stream.finish(text);
  EXPECT_EQ(text, "aaa");
}

TEST(TextStream, FindsTheStopStringWhereverPiecesAreCut) {
  const std::string text = "abcabdabcabcabdx";
  for (const std::string stop : {"a", "abd", "cab", "abcabd", "bdx", "x"}) {
    EXPECT_EQ(joined(byte_by_byte(text, {stop})), text.substr(0, text.find(stop))) << stop;
  }
}

TEST(TextStream, EndsBeforeTheStopStringThatIsCompleteFirst) {
  EXPECT_EQ(joined(byte_by_byte("abcabdabc", {"abda", "cab", "x"})), "ab");
  EXPECT_EQ(joined(byte_by_byte("abcabdabc", {"x", "abda", ""})), "abc");
  EXPECT_EQ(joined(byte_by_byte("abc", {"abc", "b"})), "a");
  std::string text;
  EXPECT_TRUE(TextStream({"b", "abc"}).append("xabc", text));  // both at once: the one that begins first
  EXPECT_EQ(text, "x");
}

TEST(TextStream, HoldsBackTheLongestBeginningOfAnyStopString) {
  std::string text;
  TextStream stream({"bx", "abcd"});
  EXPECT_FALSE(stream.append("zab", text));
  EXPECT_EQ(text, "z");
  EXPECT_FALSE(stream.append("c", text));
  EXPECT_EQ(text, "z");
  EXPECT_FALSE(stream.append("e", text));
  EXPECT_EQ(text, "zabce");
}

TEST(TextStream, StopsInTheMiddleOfNoCharacter) {
  // A stop string whose first byte continues a character: what stands before it is unfinished and left out.
  EXPECT_EQ(byte_by_byte("a\xC3\xA9", {"\xA9"}), (Pieces{"a"}));
}

}  // namespace
}  // namespace unroll
