#include "unroll/character.h"

namespace unroll {
namespace {

bool within(char32_t value, char32_t first, char32_t last) noexcept { return value >= first && value <= last; }

// How many bytes a character that begins with `first` has, and the range of its second byte; 0 bytes: it cannot begin.
struct Lead {
  std::size_t bytes;
  unsigned least;
  unsigned most;
};

Lead lead_of(unsigned first) noexcept {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xC2 || first > 0xF4) return {0, 0, 0};
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};  // below: overlong
  if (first == 0xED) return {3, 0x80, 0x9F};  // above: surrogates
  if (first < 0xF0) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};        // below: overlong
  return {4, 0x80, first == 0xF4 ? 0x8FU : 0xBFU};  // above: beyond U+10FFFF
}

}  // namespace

Character first_character(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  const Character ill_formed{.value = byte(0), .bytes = 1, .well_formed = false};
  const Lead lead = lead_of(byte(0));
  if (lead.bytes == 0 || lead.bytes > text.size()) return ill_formed;
  if (lead.bytes == 1) return {.value = byte(0)};
  char32_t value = byte(0) & (0xFFU >> (lead.bytes + 1));
  for (std::size_t i = 1; i < lead.bytes; ++i) {
    if (byte(i) < (i == 1 ? lead.least : 0x80U) || byte(i) > (i == 1 ? lead.most : 0xBFU)) return ill_formed;
    value = value << 6U | (byte(i) & 0x3FU);
  }
  return {.value = value, .bytes = lead.bytes};
}

bool is_printable(const Character& character) noexcept {
  const char32_t value = character.value;
  const bool control = value < 0x20 || within(value, 0x7F, 0x9F);
  const bool bidirectional =
      value == 0x61C || within(value, 0x200E, 0x200F) || within(value, 0x202A, 0x202E) || within(value, 0x2066, 0x2069);
  const bool separator = within(value, 0x2028, 0x2029);
  return character.well_formed && !control && !bidirectional && !separator && value != 0xFEFF;
}

}  // namespace unroll
