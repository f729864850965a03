// Rounds a number to bf16.
#pragma once

#include "kernels/weights.h"

namespace unroll {

inline float as_bf16(float x) {
  Bf16 half = 0;
  to_bf16({&x, 1}, {&half, 1});
  float result = 0;
  WeightView::bf16(&half, 1, 1).read_row(0, {&result, 1});
  return result;
}

}  // namespace unroll
