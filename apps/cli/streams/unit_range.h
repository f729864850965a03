// Which units of an input are read.
#pragma once

#include <cstdint>
#include <limits>

namespace unroll {

// Units [first, last), counted from 0: lines, texts, sentences or lists, whatever the reader returns.
struct UnitRange {
  std::int64_t first = 0;
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
};

}  // namespace unroll
