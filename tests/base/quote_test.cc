#include "base/quote.h"

#include <gtest/gtest.h>

#include <string>

namespace unroll {
namespace {

TEST(Quote, LeavesTextAsItIsBetweenQuotes) {
  EXPECT_EQ(quote(""), "\"\"");
  EXPECT_EQ(quote("a b"), "\"a b\"");
  EXPECT_EQ(quote("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

TEST(Quote, EscapesQuotesBackslashesAndControlCharacters) {
  EXPECT_EQ(quote("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(quote("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
  EXPECT_EQ(quote(std::string("\x00\x1F\x7F", 3)), "\"\\u0000\\u001f\\u007f\"");
}

TEST(Quote, EscapesWhatATerminalWouldObeyOrAReaderWouldNotSee) {
  EXPECT_EQ(quote("a\x1B[31mb"), "\"a\\u001b[31mb\"");
  EXPECT_EQ(quote("\xC2\x9B"), "\"\\u009b\"");  // a control sequence in one character
  EXPECT_EQ(quote("\xE2\x80\xAE\xE2\x81\xA6\xD8\x9C"), "\"\\u202e\\u2066\\u061c\"");  // order of what is shown
  EXPECT_EQ(quote("\xE2\x80\xA8\xEF\xBB\xBF"), "\"\\u2028\\ufeff\"");
  EXPECT_EQ(quote("\xE2\x80\x8D\xC2\xA0"), "\"\xE2\x80\x8D\xC2\xA0\"");  // joins letters; keeps words together
}

TEST(Quote, ReplacesBytesThatAreNotUtf8) {
  const std::string replaced = "\xEF\xBF\xBD";
  EXPECT_EQ(quote("a\xFFz"), "\"a" + replaced + "z\"");
  EXPECT_EQ(quote("\xC3"), "\"" + replaced + "\"");                                               // cut short
  EXPECT_EQ(quote("\xC0\x80"), "\"" + replaced + replaced + "\"");                                // overlong
  EXPECT_EQ(quote("\xE0\x9F\xBF"), "\"" + replaced + replaced + replaced + "\"");                 // overlong
  EXPECT_EQ(quote("\xED\xA0\x80"), "\"" + replaced + replaced + replaced + "\"");                 // a surrogate
  EXPECT_EQ(quote("\xF4\x90\x80\x80"), "\"" + replaced + replaced + replaced + replaced + "\"");  // beyond U+10FFFF
}

TEST(Quote, ShowsAtMostEightyBytesOfWholeCharacters) {
  EXPECT_EQ(quote(std::string(80, 'x')), "\"" + std::string(80, 'x') + "\"");
  EXPECT_EQ(quote(std::string(81, 'x')), "\"" + std::string(80, 'x') + "...\"");
  EXPECT_EQ(quote(std::string(79, 'x') + "\xC3\xA9"), "\"" + std::string(79, 'x') + "...\"");
}

}  // namespace
}  // namespace unroll
