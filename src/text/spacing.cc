#include "text/spacing.h"

#include <algorithm>
#include <array>

namespace unroll {
namespace {

// The quotes and the ellipsis are U+2018, U+201C, U+2019, U+201D and U+2026.
constexpr std::array<std::string_view, 7> kOpening = {"(",        "[",       "{", "\xE2\x80\x98", "\xE2\x80\x9C",
                                                      "\xC2\xBF", "\xC2\xA1"};
constexpr std::array<std::string_view, 14> kClosing = {
    ".", ",", ";", ":", "!", "?", ")", "]", "}", "%", "'", "\xE2\x80\x99", "\xE2\x80\x9D", "\xE2\x80\xA6"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) noexcept {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

bool space_between(std::string_view previous, std::string_view word) noexcept {
  return !contains(kOpening, previous) && !contains(kClosing, word);
}

}  // namespace unroll
