// Matrix products: the one seam to oneDNN. Every product of the library goes through here.
//
// The bits of a row of a result depend on that row and the weights alone: not on the number of rows in the call, on
// the row's place among them, or on threads. (Measured for oneDNN 2.6.3 and held by tests/matmul_test.cc. With
// AVX-512 its packed products have that property by themselves; below that, products run in blocks of a fixed number
// of rows, padded at the end.)
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/view.h"
#include "kernels/weights.h"

namespace unroll {

// A weight matrix in the layout that this processor's product wants: y = x A, A being (K, N).
//
// Shapes   x (M, K) contiguous, A (K, N), bias (N) or empty, y (M, N) contiguous; any M >= 0.
// Numerics float, one fused multiply-add chain per element in an order fixed by K and N.
// Threads  multiply() may run on any number of threads at once; pack() must not run beside it.
class PackedMatrix {
 public:
  PackedMatrix() noexcept;  // of no size
  // Room for a (K, N) matrix; all zero until packed.
  PackedMatrix(std::int64_t K, std::int64_t N, Precision precision = Precision::kF32);
  ~PackedMatrix();
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;

  // Takes the values of `a` (K, N).
  void pack(MatView<const float> a);
  // Takes the values of `a` transposed: `a` is (N, K), as PyTorch stores the weights of y = x a^T.
  void pack_transposed(const WeightView& a);

  // y = x A + bias.
  void multiply(MatView<const float> x, std::span<const float> bias, MatView<float> y) const;

  [[nodiscard]] std::int64_t bytes() const noexcept;

 private:
  struct Packed;
  std::unique_ptr<Packed> packed_;
};

// c += a^T b: a weight gradient, one sum over all rows.
//
// Shapes   a (R, M), b (R, N), c (M, N); any row strides.
// Adds     to c.
// Threads  may run at once on views of c that do not overlap; each element of c is one sum in an order fixed by the
//          shapes of this call, so cut M into the same ranges whatever the number of threads (see gradient_tile).
void add_transposed_product(MatView<const float> a, MatView<const float> b, MatView<float> c);

// How many rows of a weight gradient (M, N) one task computes: fixed by the shape alone.
[[nodiscard]] std::int64_t gradient_tile(std::int64_t M) noexcept;

}  // namespace unroll
