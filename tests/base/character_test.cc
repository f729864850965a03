#include "unroll/character.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace unroll {
namespace {

// `value` in UTF-8.
std::string utf8(char32_t value) {
  const auto byte = [](char32_t bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
  if (value < 0x80) return {byte(value)};
  if (value < 0x800) return {byte(0xC0 | value >> 6), byte(0x80 | (value & 0x3F))};
  if (value < 0x10000) return {byte(0xE0 | value >> 12), byte(0x80 | (value >> 6 & 0x3F)), byte(0x80 | (value & 0x3F))};
  return {byte(0xF0 | value >> 18), byte(0x80 | (value >> 12 & 0x3F)), byte(0x80 | (value >> 6 & 0x3F)),
          byte(0x80 | (value & 0x3F))};
}

TEST(Character, OfEachCodePointIsThatCodePoint) {
  for (char32_t value = 0; value <= 0x10FFFF; value += value < 0x3000 ? 1 : 61) {
    if (value >= 0xD800 && value <= 0xDFFF) continue;
    const std::string bytes = utf8(value);
    const Character found = first_character(bytes + "x");
    ASSERT_TRUE(found.well_formed && found.value == value && found.bytes == bytes.size()) << std::size_t{value};
    if (bytes.size() == 1) continue;
    ASSERT_FALSE(first_character(std::string_view(bytes).substr(0, bytes.size() - 1)).well_formed)
        << std::size_t{value};
  }
}

TEST(Character, ThatIsNotUtf8IsOneByte) {
  for (const std::string_view bytes : {"\xFF", "\x80", "\xC3", "\xC0\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82x",
                                       "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF0\x8F\xBF\xBF"}) {
    const Character found = first_character(bytes);
    EXPECT_FALSE(found.well_formed);
    EXPECT_EQ(found.bytes, 1U);
    EXPECT_EQ(found.value, static_cast<unsigned char>(bytes[0]));
    EXPECT_FALSE(is_printable(found));
  }
}

TEST(Character, IsNotPrintableWhereATerminalObeysItOrAReaderDoesNotSeeIt) {
  std::u32string hidden;
  for (char32_t value = 0; value <= 0x10FFFF; ++value) {
    if (!is_printable({.value = value})) hidden += value;
  }
  std::u32string expected;
  const auto add = [&](char32_t first, char32_t last) {
    for (char32_t value = first; value <= last; ++value) expected += value;
  };
  add(0, 0x1F);
  add(0x7F, 0x9F);
  add(0x61C, 0x61C);
  add(0x200E, 0x200F);
  add(0x2028, 0x202E);
  add(0x2066, 0x2069);
  add(0xFEFF, 0xFEFF);
  EXPECT_TRUE(hidden == expected);
}

}  // namespace
}  // namespace unroll
