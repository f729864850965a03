// Matrix products: every product of the library goes through here.
//
// The bits of a row of a result depend on that row and the weights alone: not on the number of rows in the call, on
// the row's place among them, or on threads. Each element is one chain of multiply-adds in the order of k, for any
// shape and on any processor: in f32, all processors with fused multiply-adds give the same bits.
//
// Threads  multiply() and add_transposed_products() may run on any number of threads at once, on results that do not
//          overlap; pack() must not run at the same time as a multiply() of the same matrix.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/view.h"
#include "base/workers.h"
#include "kernels/weights.h"

namespace unroll {

inline constexpr std::int64_t kPackingUnit = 32;

// A weight matrix A (K, N) in the layout of this processor's product y = x A.
//
// Numerics f32   floats, fused multiply-adds
//          bf16  A and x rounded to bf16; products summed in floats. A processor's bf16 instruction and its
//                emulation may differ in the last bits
//          int8  rows of A^T rounded to integers from -127 to 127 times a scale each, rows of x to integers from -63
//                to 63 (in each call; a row whose numbers are all below 2^-100 counts as zero); sums exact
class PackedMatrix {
 public:
  PackedMatrix() noexcept;  // of size 0
  // Room for a (K, N) matrix; all zero until packed.
  PackedMatrix(std::int64_t K, std::int64_t N, Precision precision = Precision::kF32);
  ~PackedMatrix();
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;

  // Copies the values of `a` (K, N). Requires f32 or bf16.
  void pack(MatView<const float> a) { pack(a, 0, a.rows); }
  // Copies the values of `a` transposed: `a` is (N, K), as PyTorch stores the weights of y = x a^T. Rounds if `a` is
  // stored in a higher precision.
  void pack_transposed(const WeightView& a) { pack_transposed(a, 0, a.rows()); }
  // The same for rows [first, last) of `a` only; several threads may pack different rows at once. Requires `first` to
  // be a multiple of kPackingUnit, and `last` too unless it is the number of rows.
  void pack(MatView<const float> a, std::int64_t first, std::int64_t last);
  void pack_transposed(const WeightView& a, std::int64_t first, std::int64_t last);

  // y = x A + bias.   x (M, K), bias (N) or empty, y (M, N), any M >= 0, any row strides.
  void multiply(MatView<const float> x, std::span<const float> bias, MatView<float> y) const;

  [[nodiscard]] Precision precision() const noexcept;
  [[nodiscard]] std::int64_t bytes() const noexcept;

 private:
  struct Packed;
  std::unique_ptr<Packed> packed_;
};

// A weight matrix to be packed: as `forward` for x a^T and, in training, as `back` for x a.
struct PackingTask {
  WeightView a;
  PackedMatrix* forward = nullptr;
  PackedMatrix* back = nullptr;
};

// Packs all of them, in pieces shared among the workers; each piece of `a` is read once. Requires f32 for tasks with
// `back`.
void pack_all(Workers& workers, std::span<const PackingTask> tasks);

// One weight gradient: c (M, N) += a^T b for b (R, N); any row strides. Rows of b whose bit in `zero` (R, or empty) is
// set count as zero.
struct TransposedProduct {
  MatView<const float> b;
  MatView<float> c;
  std::span<const std::uint8_t> zero = {};
};

// Weight gradients, each one sum over all rows: c += a^T b for each of `products` (one or two), with a (R, M). Also
// adds the column sums of a to `sums` (M), unless that is empty.
//
// Numerics in `precision`, f32 or bf16; column sums always in floats. Sums run over blocks of a fixed number of rows.
//          An element's bits depend on its column of a, its column of b and R, not on M, N or threads.
void add_transposed_products(Precision precision, MatView<const float> a, std::span<const TransposedProduct> products,
                             std::span<float> sums = {});

// Columns of a per task if there are many; each task reads all of b. Cut M into multiples of the unit.
inline constexpr std::int64_t kGradientUnit = 12;
inline constexpr std::int64_t kTypicalGradientColumns = 1024;

}  // namespace unroll
