#include "text/utf8.h"

#include <algorithm>
#include <cstring>

namespace unroll {
namespace {

// Number of bytes after a first byte, and the range of the second one.
struct Form {
  std::size_t length = 0;
  unsigned second_low = 0x80;
  unsigned second_high = 0xBF;
};

Form form_of(unsigned first) noexcept {
  if (first >= 0xC2 && first <= 0xDF) return {2};
  if (first == 0xE0) return {3, 0xA0, 0xBF};  // below: overlong
  if (first == 0xED) return {3, 0x80, 0x9F};  // above: surrogates
  if (first >= 0xE1 && first <= 0xEF) return {3};
  if (first == 0xF0) return {4, 0x90, 0xBF};  // below: overlong
  if (first >= 0xF1 && first <= 0xF3) return {4};
  if (first == 0xF4) return {4, 0x80, 0x8F};  // above: beyond U+10FFFF
  return {};
}

// Number of leading ASCII bytes, in steps of eight.
std::size_t ascii_prefix(const char* text, std::size_t size) noexcept {
  std::size_t done = 0;
  for (; done + 8 <= size; done += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text + done, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  return done;
}

}  // namespace

CodePoint decode_utf8(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const Form form = form_of(first);
  if (form.length == 0 || form.length > text.size()) return {};
  const unsigned second = byte(1);
  if (second < form.second_low || second > form.second_high) return {};
  char32_t value = (first & (0xFFU >> (form.length + 1))) << 6 | (second & 0x3FU);
  for (std::size_t i = 2; i < form.length; ++i) {
    if (!is_continuation(text[i])) return {};
    value = value << 6 | (byte(i) & 0x3FU);
  }
  return {value, form.length};
}

std::size_t find_invalid_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while (true) {
    at += ascii_prefix(text.data() + at, text.size() - at);
    if (at >= text.size()) return std::string_view::npos;
    const CodePoint next = decode_utf8(text.substr(at));
    if (next.length == 0) return at;
    at += next.length;
  }
}

std::int64_t count_code_points(std::string_view text) noexcept {
  return std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation(byte); });
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_ascii_space(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
  return text;
}

}  // namespace unroll
