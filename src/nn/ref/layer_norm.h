// Layer normalisation in plain loops: the definition against which kernels/layer_norm.h is tested; and products that
// are normalised if a layer has gains, for the reference cells.
#pragma once

#include <span>
#include <vector>

#include "kernels/layer_norm.h"
#include "nn/ref/matrix.h"

namespace unroll::ref {

// A block of numbers, shifted and scaled to mean 0 and variance 1.
template <class S>
struct NormalizedBlock {
  explicit NormalizedBlock(std::span<const S> z) : n(z.begin(), z.end()) {
    using std::sqrt;
    const S count = S(static_cast<double>(z.size()));
    S mean(0);
    for (const S& value : z) mean += value;
    mean /= count;
    S variance(0);
    for (S& value : n) {
      value -= mean;
      variance += value * value;
    }
    inverse = S(1) / sqrt(variance / count + S(kNormEpsilon));
    for (S& value : n) value *= inverse;
  }

  std::vector<S> n;
  S inverse{};  // 1 / sqrt(variance + epsilon)
};

// y = gain n over each block of `units` numbers of z. Sets y, which may be z.
template <class S>
void layer_norm_forward(std::size_t units, const std::vector<S>& z, std::span<const S> gain, std::vector<S>& y) {
  std::vector<S> result;
  for (std::size_t at = 0; at < z.size(); at += units) {
    const NormalizedBlock<S> block(std::span<const S>(z).subspan(at, units));
    for (std::size_t j = 0; j < units; ++j) result.push_back(gain[at + j] * block.n[j]);
  }
  y = result;
}

// dn = gain dy; dz = inverse (dn - mean dn - n mean(dn n)); dgain += dy n. Adds to dgain; sets dz, which may be dy.
template <class S>
void layer_norm_backward(std::size_t units, const std::vector<S>& z, std::span<const S> gain, const std::vector<S>& dy,
                         std::span<S> dgain, std::vector<S>& dz) {
  const S count = S(static_cast<double>(units));
  std::vector<S> result;
  for (std::size_t at = 0; at < z.size(); at += units) {
    const NormalizedBlock<S> block(std::span<const S>(z).subspan(at, units));
    S mean(0);
    S mean_with_n(0);
    for (std::size_t j = 0; j < units; ++j) {
      const S dn = gain[at + j] * dy[at + j];
      mean += dn / count;
      mean_with_n += dn * block.n[j] / count;
      dgain[at + j] += dy[at + j] * block.n[j];
    }
    for (std::size_t j = 0; j < units; ++j) {
      result.push_back(block.inverse * (gain[at + j] * dy[at + j] - mean - block.n[j] * mean_with_n));
    }
  }
  dz = result;
}

// A x, a row of A being one output; with gains (A.rows; else empty) normalised over each block of `units` outputs.
template <class S>
std::vector<S> products_of(const MatView<const S>& A, std::span<const S> gain, std::int64_t units, const S* x) {
  std::vector<S> y;
  for (std::int64_t k = 0; k < A.rows; ++k) y.push_back(row_product(A, k, x));
  if (!gain.empty()) layer_norm_forward(static_cast<std::size_t>(units), y, gain, y);
  return y;
}

// Its backward: dy is the gradient of the result of products_of. Adds to dA, dgain and dx.
template <class S>
void products_back(const MatView<const S>& A, std::span<const S> gain, std::int64_t units, const S* x,
                   std::vector<S> dy, const MatView<S>& dA, std::span<S> dgain, S* dx) {
  if (!gain.empty()) {
    const std::vector<S> z = products_of(A, {}, units, x);
    layer_norm_backward(static_cast<std::size_t>(units), z, gain, dy, dgain, dy);
  }
  for (std::int64_t k = 0; k < A.rows; ++k) row_product_back(A, k, x, dy[static_cast<std::size_t>(k)], dA, dx);
}

}  // namespace unroll::ref
