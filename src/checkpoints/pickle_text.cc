#include "checkpoints/pickle_text.h"

#include <charconv>
#include <cstdint>

#include "unroll/character.h"

namespace unroll {
namespace {

constexpr char32_t kLastCodePoint = 0x10FFFF;

// A number in `digits` digits of `base` at the start of `text`.
std::optional<char32_t> escaped_number(std::string_view text, std::size_t digits, int base) {
  if (text.size() < digits) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + digits, number, base);
  if (failure != std::errc() || end != text.data() + digits) return std::nullopt;
  return number;
}

// A simple escape of one letter.
std::optional<char> escaped_letter(char letter) {
  switch (letter) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '\\':
    case '\'':
    case '"':
      return letter;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> unquoted_python(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back() || (text.front() != '\'' && text.front() != '"')) {
    return std::nullopt;
  }
  text = text.substr(1, text.size() - 2);
  std::string out;
  while (!text.empty()) {
    if (text.front() != '\\') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 2) return std::nullopt;
    const char letter = text[1];
    text.remove_prefix(2);
    if (letter == 'x') {
      const std::optional<char32_t> byte = escaped_number(text, 2, 16);
      if (!byte) return std::nullopt;
      out += static_cast<char>(*byte);
      text.remove_prefix(2);
    } else if (const std::optional<char> simple = escaped_letter(letter)) {
      out += *simple;
    } else {
      out += '\\';  // Python keeps a backslash that escapes nothing
      out += letter;
    }
  }
  return out;
}

std::optional<std::string> raw_unicode(std::string_view text) {
  constexpr std::size_t kShort = 4;
  constexpr std::size_t kLong = 8;
  std::string out;
  while (!text.empty()) {
    const bool escape = text.size() > 1 && text[0] == '\\' && (text[1] == 'u' || text[1] == 'U');
    if (!escape) {
      append_utf8(static_cast<unsigned char>(text.front()), out);
      text.remove_prefix(1);
      continue;
    }
    const std::size_t digits = text[1] == 'u' ? kShort : kLong;
    const std::optional<char32_t> code_point = escaped_number(text.substr(2), digits, 16);
    if (!code_point || *code_point > kLastCodePoint) return std::nullopt;
    append_utf8(*code_point, out);
    text.remove_prefix(2 + digits);
  }
  return out;
}

std::optional<std::int64_t> whole_python(std::string_view text) {
  if (text.ends_with('L')) text.remove_suffix(1);
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

ValueId add_long(ValueGraph& graph, std::string_view bytes) {
  if (bytes.size() > sizeof(std::int64_t)) return graph.add_text(ValueKind::kLargeInteger, std::string(bytes));
  const bool negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80) != 0;
  std::uint64_t number = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return graph.add_integer(static_cast<std::int64_t>(number));
}

void append_utf8(char32_t code_point, std::string& out) {
  const auto continuation = [](char32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | code_point >> 6);
    out += continuation(code_point);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0 | code_point >> 12);
    out += continuation(code_point >> 6);
    out += continuation(code_point);
  } else {
    out += static_cast<char>(0xF0 | code_point >> 18);
    out += continuation(code_point >> 12);
    out += continuation(code_point >> 6);
    out += continuation(code_point);
  }
}

std::optional<std::string> to_latin1(std::string_view utf8) {
  std::string out;
  while (!utf8.empty()) {
    const Character next = first_character(utf8);
    if (!next.well_formed || next.value > 0xFF) return std::nullopt;
    out += static_cast<char>(next.value);
    utf8.remove_prefix(next.bytes);
  }
  return out;
}

}  // namespace unroll
