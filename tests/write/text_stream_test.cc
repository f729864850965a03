#include "write/text_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace unroll {
namespace {

using Pieces = std::vector<std::string>;

struct Reader {
  Pieces pieces;
  std::size_t most = 1000;
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    return all;
  }
  auto function() {
    return [this](std::string_view piece) {
      pieces.emplace_back(piece);
      return pieces.size() < most;
    };
  }
};

// What comes out when `bytes` go in one by one.
Pieces byte_by_byte(std::string_view bytes, const std::string& stop = "") {
  Reader reader;
  TextStream stream(stop, reader.function());
  for (const char byte : bytes) {
    if (stream.append(std::string_view(&byte, 1)) != StreamState::kOpen) return reader.pieces;
  }
  (void)stream.finish();
  return reader.pieces;
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
  Reader reader;
  TextStream stream("END", reader.function());
  EXPECT_EQ(stream.append("so E"), StreamState::kOpen);
  EXPECT_EQ(reader.text(), "so ");
  EXPECT_EQ(stream.append("N"), StreamState::kOpen);
  EXPECT_EQ(reader.text(), "so ");
  EXPECT_EQ(stream.append("D more"), StreamState::kStopped);
  EXPECT_EQ(reader.text(), "so ");
}

TEST(TextStream, HandsOutABeginningOfTheStopStringThatCameToNothing) {
  Reader reader;
  TextStream stream("aab", reader.function());
  EXPECT_EQ(stream.append("a"), StreamState::kOpen);
  EXPECT_EQ(stream.append("a"), StreamState::kOpen);
  EXPECT_EQ(reader.text(), "");
  EXPECT_EQ(stream.append("a"), StreamState::kOpen);  // "aa" may still begin it
  EXPECT_EQ(reader.text(), "a");
  EXPECT_EQ(stream.finish(), StreamState::kOpen);
  EXPECT_EQ(reader.text(), "aaa");
}

TEST(TextStream, FindsTheStopStringWhereverPiecesAreCut) {
  const std::string text = "abcabdabcabcabdx";
  for (const std::string stop : {"a", "abd", "cab", "abcabd", "bdx", "x"}) {
    std::string all;
    for (const std::string& piece : byte_by_byte(text, stop)) all += piece;
    EXPECT_EQ(all, text.substr(0, text.find(stop))) << stop;
  }
}

TEST(TextStream, StopsInTheMiddleOfNoCharacter) {
  // A stop string whose first byte continues a character: what stands before it is unfinished and left out.
  EXPECT_EQ(byte_by_byte("a\xC3\xA9", "\xA9"), (Pieces{"a"}));
}

TEST(TextStream, ClosesWhenTheReaderHasEnough) {
  Reader reader;
  reader.most = 1;
  TextStream stream("stop", reader.function());
  EXPECT_EQ(stream.append("a"), StreamState::kClosedByReader);
  Reader second;
  second.most = 1;
  TextStream held("stop", second.function());
  EXPECT_EQ(held.append("st"), StreamState::kOpen);
  EXPECT_EQ(held.finish(), StreamState::kClosedByReader);
}

}  // namespace
}  // namespace unroll
