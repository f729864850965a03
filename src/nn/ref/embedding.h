// Embedding in plain loops: maps each symbol to a row of a table.
#pragma once

#include <span>

#include "nn/ref/matrix.h"

namespace unroll::ref {

// out(row) = table(ids[row]). table (V, E), out (ids.size(), E).
template <class S>
void embedding_forward(const MatView<const S>& table, std::span<const std::int32_t> ids, Matrix<S>& out) {
  out = Matrix<S>(static_cast<std::int64_t>(ids.size()), table.cols);
  for (std::int64_t row = 0; row < out.rows; ++row) {
    const std::int64_t id = ids[static_cast<std::size_t>(row)];
    for (std::int64_t k = 0; k < table.cols; ++k) out(row, k) = table(id, k);
  }
}

// dtable(ids[row]) += dout(row). Adds to dtable.
template <class S>
void embedding_backward(std::span<const std::int32_t> ids, const Matrix<S>& dout, const MatView<S>& dtable) {
  for (std::int64_t row = 0; row < dout.rows; ++row) {
    const std::int64_t id = ids[static_cast<std::size_t>(row)];
    for (std::int64_t k = 0; k < dtable.cols; ++k) dtable(id, k) += dout(row, k);
  }
}

}  // namespace unroll::ref
