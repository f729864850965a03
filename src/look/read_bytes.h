// The bytes that an unrolled text has read, step by step.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "unroll/look/unrolled_text.h"

namespace unroll {

// What was read, and how much of it after each step: 0 where that is nothing yet.
struct ReadBytes {
  std::string bytes;
  std::vector<std::size_t> ends;
};

[[nodiscard]] ReadBytes read_bytes(const UnrolledText& text);

}  // namespace unroll
