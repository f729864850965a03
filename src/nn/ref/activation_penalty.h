// Penalties on activations in plain loops.
#pragma once

#include <cstdint>
#include <span>

#include "nn/ref/matrix.h"

namespace unroll::ref {

// factor * mean(y^2).
template <class S>
S activation_penalty_forward(double factor, const Matrix<S>& y) {
  S sum(0);
  for (const S& value : y.values) sum += value * value;
  return S(factor / static_cast<double>(y.values.size())) * sum;
}

// Adds to dy.
template <class S>
void activation_penalty_backward(double factor, const Matrix<S>& y, Matrix<S>& dy) {
  const S slope = S(2 * factor / static_cast<double>(y.values.size()));
  for (std::size_t i = 0; i < y.values.size(); ++i) dy.values[i] += slope * y.values[i];
}

// Calls visit(row, previous row) for each pair of steps of h (T*B, N) between which the state is carried.
template <class S, class Visit>
void for_each_carried_pair(std::int64_t B, std::span<const std::uint8_t> reset, const Matrix<S>& h,
                           const Visit& visit) {
  for (std::int64_t row = B; row < h.rows; ++row) {
    if (reset.empty() || reset[static_cast<std::size_t>(row)] == 0) visit(row, row - B);
  }
}

// factor * sum of (h_t - h_{t-1})^2 / ((T-1) B N).
template <class S>
S temporal_penalty_forward(double factor, std::int64_t B, std::span<const std::uint8_t> reset, const Matrix<S>& h) {
  if (h.rows <= B) return S(0);
  S sum(0);
  for_each_carried_pair(B, reset, h, [&](std::int64_t row, std::int64_t before) {
    for (std::int64_t j = 0; j < h.cols; ++j) sum += (h(row, j) - h(before, j)) * (h(row, j) - h(before, j));
  });
  return S(factor / static_cast<double>((h.rows - B) * h.cols)) * sum;
}

// Adds to dh.
template <class S>
void temporal_penalty_backward(double factor, std::int64_t B, std::span<const std::uint8_t> reset, const Matrix<S>& h,
                               Matrix<S>& dh) {
  if (h.rows <= B) return;
  const S slope = S(2 * factor / static_cast<double>((h.rows - B) * h.cols));
  for_each_carried_pair(B, reset, h, [&](std::int64_t row, std::int64_t before) {
    for (std::int64_t j = 0; j < h.cols; ++j) {
      const S change = slope * (h(row, j) - h(before, j));
      dh(row, j) += change;
      dh(before, j) -= change;
    }
  });
}

}  // namespace unroll::ref
