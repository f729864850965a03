// A linear layer without bias in plain loops.
#pragma once

#include "nn/ref/matrix.h"

namespace unroll::ref {

// y = x P^T. P (E, H), x (R, H). Sets y (R, E).
template <class S>
void projection_forward(const MatView<const S>& P, const Matrix<S>& x, Matrix<S>& y) {
  y = Matrix<S>(x.rows, P.rows);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (std::int64_t e = 0; e < P.rows; ++e) y(r, e) = row_product(P, e, x.row(r));
  }
}

// Adds to dP (E, H); sets dx (R, H).
template <class S>
void projection_backward(const MatView<const S>& P, const Matrix<S>& x, const Matrix<S>& dy, const MatView<S>& dP,
                         Matrix<S>& dx) {
  dx = Matrix<S>(x.rows, x.cols);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    for (std::int64_t e = 0; e < P.rows; ++e) row_product_back(P, e, x.row(r), dy(r, e), dP, dx.row(r));
  }
}

}  // namespace unroll::ref
