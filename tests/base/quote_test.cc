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
