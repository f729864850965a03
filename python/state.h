// A state as Python sees it.
#pragma once

#include <cstdint>

#include "python/bound.h"
#include "unroll/state.h"

namespace unroll {

// Never changed once it is made, so that arrays may show its numbers.
struct SeenState {
  State state;
  std::int64_t layers = 1;  // L
};

template <>
inline constexpr bool kIsBound<SeenState> = true;

}  // namespace unroll
