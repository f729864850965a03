// Norm and spectral radius of a square matrix, by repeated products.
#pragma once

#include <cstdint>
#include <vector>

namespace unroll {

// Row-major (n, n).
struct SquareMatrix {
  std::int64_t n = 0;
  std::vector<double> values = {};
};

// The largest singular value.
[[nodiscard]] double largest_singular_value(const SquareMatrix& matrix);

// The largest magnitude of an eigenvalue: the mean growth of a vector over the last half of many products.
[[nodiscard]] double spectral_radius(const SquareMatrix& matrix);

}  // namespace unroll
