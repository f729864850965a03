// How many numbers a network has, by what they are for.
#pragma once

#include <cstdint>
#include <string>

#include "unroll/model.h"

namespace unroll {

// U maps inputs to states, W the state to the next, V the last state to the output.
struct NetworkNumbers {
  std::int64_t embedding = 0;  // rows that symbols look up; with tied weights they are V as well
  std::int64_t U = 0;
  std::int64_t W = 0;
  std::int64_t V = 0;
  std::int64_t biases = 0;  // and gains, and initial states
  std::int64_t parameters = 0;
};

[[nodiscard]] NetworkNumbers network_numbers(const Model& model);

// "4·64 × 16": rows (of gates so many blocks) and columns of U, W and V; of the first of several layers. Empty
// where there is no such matrix, and of V where that is several.
struct MatrixShapes {
  std::string U;
  std::string W;
  std::string V;
};

[[nodiscard]] MatrixShapes matrix_shapes(const Model& model);

}  // namespace unroll
