// The arithmetic of the reference layers: an owning matrix, and functions of one number.
//
// Everything in nn/ref is written in plain loops for any scalar S: double is the definition against which the fast
// layers are tested, std::complex<double> gives exact derivatives (complex_step.h), float shows the effect of rounding
// alone.
#pragma once

#include <cassert>
#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

#include "base/view.h"

namespace unroll::ref {

// A row-major matrix, initially zero.
template <class S>
struct Matrix {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<S> values;

  Matrix() = default;
  Matrix(std::int64_t row_count, std::int64_t col_count)
      : rows(row_count), cols(col_count), values(static_cast<std::size_t>(row_count * col_count), S(0)) {}

  S& operator()(std::int64_t r, std::int64_t c) { return values[index(r, c)]; }
  const S& operator()(std::int64_t r, std::int64_t c) const { return values[index(r, c)]; }
  S* row(std::int64_t r) { return values.data() + r * cols; }
  const S* row(std::int64_t r) const { return values.data() + r * cols; }

 private:
  [[nodiscard]] std::size_t index(std::int64_t r, std::int64_t c) const {
    assert(r >= 0 && r < rows && c >= 0 && c < cols);
    return static_cast<std::size_t>(r * cols + c);
  }
};

// The part of a number on which functions branch.
inline float real_part(float z) { return z; }
inline double real_part(double z) { return z; }
inline double real_part(const std::complex<double>& z) { return z.real(); }

// 1 / (1 + e^-z), computed by the exponential that cannot overflow.
template <class S>
S sigmoid(const S& z) {
  using std::exp;
  if (real_part(z) >= 0) return S(1) / (S(1) + exp(-z));
  const S e = exp(z);
  return e / (S(1) + e);
}

template <class S>
S tanh_of(const S& z) {
  using std::tanh;
  return tanh(z);
}

// max(0, z); at 0 the branch, and so the derivative, is 0.
template <class S>
S relu(const S& z) {
  return real_part(z) > 0 ? z : S(0);
}

// One output of y = A x, and its backward: with dy the gradient of y_r, dA_r += dy x and dx += dy A_r.
template <class S>
S row_product(const MatView<const S>& A, std::int64_t r, const S* x) {
  S sum(0);
  for (std::int64_t k = 0; k < A.cols; ++k) sum += A(r, k) * x[k];
  return sum;
}
template <class S>
void row_product_back(const MatView<const S>& A, std::int64_t r, const S* x, const S& dy, const MatView<S>& dA, S* dx) {
  for (std::int64_t k = 0; k < A.cols; ++k) {
    dA(r, k) += dy * x[k];
    dx[k] += dy * A(r, k);
  }
}

}  // namespace unroll::ref
