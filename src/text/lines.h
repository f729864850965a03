// Going through the lines of a text.
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

}  // namespace unroll
