#include "model/base64.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace unroll {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kBytes = 3;  // of a group
constexpr std::size_t kLetters = 4;

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + kBytes - 1) / kBytes * kLetters);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kBytes, bytes.size()))) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < kBytes; ++i) {
      group = group << 8U | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U);
    }
    for (std::size_t i = 0; i < kLetters; ++i) {
      text += i <= bytes.size() ? kDigits[group >> (6 * (kLetters - 1 - i)) & 63U] : '=';
    }
  }
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % kLetters != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / kLetters * kBytes);
  for (std::size_t at = 0; at < text.size(); at += kLetters) {
    std::string_view group = text.substr(at, kLetters);
    if (at + kLetters == text.size()) {
      while (group.ends_with('=') && group.size() > 2) group.remove_suffix(1);
    }
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < kLetters; ++i) {
      const std::size_t digit = i < group.size() ? kDigits.find(group[i]) : 0;
      if (digit == std::string_view::npos) return std::nullopt;
      value = value << 6U | static_cast<std::uint32_t>(digit);
    }
    for (std::size_t i = 0; i + 1 < group.size(); ++i) {
      bytes += static_cast<char>(static_cast<unsigned char>(value >> (8 * (kBytes - 1 - i)) & 0xFFU));
    }
    if (const std::size_t unused = 8 * (kLetters - group.size()); (value & ((1U << unused) - 1)) != 0) {
      return std::nullopt;
    }
  }
  return bytes;
}

}  // namespace unroll
