// Going through the lines of a text, and through words that are split already.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace unroll {

// Calls f(line, offset, whole) for each line of a text: without its line end, the offset of its first byte, and whether
// a line end follows.
template <class F>
void for_each_line(std::string_view text, const F& f) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    f(text.substr(at, end - at), static_cast<std::int64_t>(at), end < text.size());
    at = end + 1;
  }
}

// What separates words in text that is split already: ASCII white space.
inline constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";

// Calls f(word) for each word of a text that is split at ASCII white space.
template <class F>
void for_each_word(std::string_view text, const F& f) {
  for (std::size_t at = 0; (at = text.find_first_not_of(kWhiteSpace, at)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kWhiteSpace, at), text.size());
    f(text.substr(at, end - at));
    at = end;
  }
}

}  // namespace unroll
