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

// How many bytes at the end of `text` are a beginning of `stop`, but not all of it.
std::size_t stop_beginning(std::string_view text, std::string_view stop) noexcept {
  if (stop.empty()) return 0;
  for (std::size_t size = std::min(stop.size() - 1, text.size()); size > 0; --size) {
    if (text.ends_with(stop.substr(0, size))) return size;
  }
  return 0;
}

}  // namespace

TextStream::TextStream(std::string stop, std::function<bool(std::string_view)> write)
    : stop_(std::move(stop)), write_(std::move(write)) {}

StreamState TextStream::append(std::string_view piece) {
  pending_ += piece;
  if (!stop_.empty()) {
    if (const std::size_t found = pending_.find(stop_); found != std::string::npos) {
      const StreamState state = hand_out(found);
      return state == StreamState::kOpen ? StreamState::kStopped : state;
    }
  }
  return hand_out(pending_.size() - stop_beginning(pending_, stop_));
}

StreamState TextStream::finish() { return hand_out(pending_.size()); }

StreamState TextStream::hand_out(std::size_t size) {
  const std::string_view certain = std::string_view(pending_).substr(0, size);
  size -= unfinished_character(certain);
  if (size == 0) return StreamState::kOpen;
  const bool wanted = write_(certain.substr(0, size));
  pending_.erase(0, size);
  return wanted ? StreamState::kOpen : StreamState::kClosedByReader;
}

}  // namespace unroll
