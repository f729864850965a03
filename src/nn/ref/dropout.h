// Dropout in plain loops, given its mask: 0 where a unit is dropped, 1 / (1 - p) where it stays.
#pragma once

#include "nn/ref/matrix.h"

namespace unroll::ref {

// out = mask x, element by element. Sets out.
template <class S>
void dropout_forward(const Matrix<S>& mask, const Matrix<S>& x, Matrix<S>& out) {
  out = Matrix<S>(x.rows, x.cols);
  for (std::size_t i = 0; i < x.values.size(); ++i) out.values[i] = mask.values[i] * x.values[i];
}

// dx = mask dout. Sets dx.
template <class S>
void dropout_backward(const Matrix<S>& mask, const Matrix<S>& dout, Matrix<S>& dx) {
  dropout_forward(mask, dout, dx);
}

}  // namespace unroll::ref
