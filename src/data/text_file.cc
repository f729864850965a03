#include "data/text_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/warn.h"
#include "text/checked_text.h"
#include "text/utf8.h"
#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// Windows-1252 from 0x80 on; 0 where it has no character, and the byte is that control character.
// Source: WHATWG Encoding Standard, index windows-1252.
constexpr std::array<char16_t, 32> kWindows1252{0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                                0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

bool is_ascii_byte(char c) noexcept { return static_cast<unsigned char>(c) < 0x80; }

std::string utf8_of_latin1(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    unsigned value = static_cast<unsigned char>(c);
    if (value >= 0x80 && value < 0xA0 && kWindows1252[value - 0x80] != 0) value = kWindows1252[value - 0x80];
    if (value < 0x80) {
      text += c;
    } else if (value < 0x800) {
      text += static_cast<char>(0xC0U | value >> 6);
      text += static_cast<char>(0x80U | (value & 0x3FU));
    } else {
      text += static_cast<char>(0xE0U | value >> 12);
      text += static_cast<char>(0x80U | (value >> 6 & 0x3FU));
      text += static_cast<char>(0x80U | (value & 0x3FU));
    }
  }
  return text;
}

// Every other byte of ASCII text in UTF-16 is NUL.
bool seems_utf16(std::string_view text) noexcept {
  return std::count(text.begin(), text.end(), '\0') > std::ssize(text) / 4;
}

std::string_view before(std::string_view text, std::size_t at) { return text.substr(0, std::min(at, text.size())); }

}  // namespace

TextFile::TextFile(const std::string& path, TextEncoding encoding) : path_(path) {
  text_ = read_text(path);
  if (seems_utf16(text_)) {
    refuse(text_.find('\0'), "more than a quarter of the file are NUL bytes, as in UTF-16: convert it to UTF-8");
  }
  const std::size_t invalid = find_invalid_utf8(text_);
  if (encoding == TextEncoding::kLatin1) {
    if (invalid == std::string::npos && !std::ranges::all_of(text_, is_ascii_byte)) {
      warn(fmt::format("{} is UTF-8, and read as latin1: its letters beyond ASCII become two or three others",
                       text_name(path)));
    }
    text_ = utf8_of_latin1(text_);
  } else if (invalid != std::string::npos) {
    const bool mixed = !std::ranges::all_of(before(text_, invalid), is_ascii_byte);
    throw Error(
        ErrorCode::kInput,
        fmt::format("{}: 0x{:02x} is not UTF-8 there, {}", place(invalid), static_cast<unsigned char>(text_[invalid]),
                    mixed ? "although letters before it are: the file holds two encodings; convert that part"
                          : "nor is a letter before it: read the file as latin1 (`encoding`) or convert it"),
        "encoding");
  }
  if (text_.find('\n') == std::string::npos) std::ranges::replace(text_, '\r', '\n');
}

std::string TextFile::place(std::size_t at) const {
  const std::string_view head = before(text_, at);
  const auto lines = std::count(head.begin(), head.end(), '\n');
  const std::size_t line_start = head.rfind('\n') + 1;  // 0 where there is none
  return fmt::format("{}, column {}", line_place(path_, lines + 1),
                     column_of(head.substr(line_start), head.size() - line_start));
}

void TextFile::refuse(std::size_t at, std::string_view why) const {
  throw Error(ErrorCode::kInput, fmt::format("{}: {}", place(at), why));
}

std::string line_place(const std::string& path, std::int64_t line) {
  return fmt::format("{}, line {}", text_name(path), line);
}

}  // namespace unroll
