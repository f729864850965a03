#include "write/text_stream.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace unroll {
namespace {

// Bytes of the character that `lead` begins; 1 where it begins none of several bytes.
std::size_t character_length(unsigned char lead) noexcept {
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 1;
}

// Whether `second` may follow `lead` (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
bool may_follow(unsigned char lead, unsigned char second) noexcept {
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return second >= low && second <= high;
}

bool is_continuation(unsigned char byte) noexcept { return (byte & 0xC0U) == 0x80; }

// How many bytes at the end of `text` are the beginning of a character whose rest may still come.
std::size_t unfinished_character(std::string_view text) noexcept {
  for (std::size_t size = 1; size <= std::min<std::size_t>(3, text.size()); ++size) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[text.size() - size + i]); };
    if (is_continuation(byte(0))) continue;
    const bool possible = size == 1 || may_follow(byte(0), byte(1));
    return possible && character_length(byte(0)) > size ? size : 0;
  }
  return 0;
}

// How many bytes at the end of `text` are a beginning of `stop`, but not all of it. Requires that `stop` is not empty.
std::size_t stop_beginning(std::string_view text, std::string_view stop) noexcept {
  for (std::size_t size = std::min(stop.size() - 1, text.size()); size > 0; --size) {
    if (text.ends_with(stop.substr(0, size))) return size;
  }
  return 0;
}

}  // namespace

TextStream::TextStream(std::vector<std::string> stops) : stops_(std::move(stops)) { std::erase(stops_, std::string()); }

bool TextStream::append(std::string_view piece, std::string& out) {
  pending_ += piece;
  std::size_t found = std::string::npos;
  std::size_t held = 0;
  for (const std::string& stop : stops_) {
    found = std::min(found, pending_.find(stop));
    held = std::max(held, stop_beginning(pending_, stop));
  }
  const bool stopped = found != std::string::npos;
  hand_out(stopped ? found : pending_.size() - held, out);
  return stopped;
}

void TextStream::finish(std::string& out) { hand_out(pending_.size(), out); }

void TextStream::hand_out(std::size_t size, std::string& out) {
  const std::string_view certain = std::string_view(pending_).substr(0, size);
  size -= unfinished_character(certain);
  out += certain.substr(0, size);
  pending_.erase(0, size);
}

}  // namespace unroll
