// Layer normalisation: shifts and scales every block of `units` numbers of a row to mean 0 and variance 1.
//
// Shapes   matrices (R, G * units), any row strides; a row has G blocks with separate statistics. gain, bias
//          (G * units). `reset` (R) or empty: how rows whose bit is set are skipped is said at each function.
// Numerics float; first the mean, then the variance of the differences from it, so that a large mean costs no digits.
//          The tail of a block is computed as a whole vector is. A row's bits depend on that row alone.
// Threads  reentrant on distinct rows. No allocation, no throw after the first call.
// Source   Ba, Kiros & Hinton 2016 (arXiv:1607.06450), equation 4; docs/math/layer_norm.md.
#pragma once

#include <cstdint>
#include <span>

#include "base/view.h"

namespace unroll {

// Added to the variance, as in PyTorch: a block of equal numbers is normalised to zeros, not divided by zero.
inline constexpr double kNormEpsilon = 1e-5;

// What forward keeps for backward; without data in inference.
struct NormTape {
  MatView<float> normalized;  // (R, G * units) n. Backward leaves dz here
  MatView<float> inverse;     // (R, G) 1 / sqrt(variance + epsilon) of each block
};

// n = (z - mean z) / sqrt(variance z + epsilon)   y = gain n + bias      variance: mean of squares, as in the paper
//
// Sets y, which may be z, and the tape if it has data. bias may be empty: then it is not added. Rows that are reset are
// neither read nor written.
void layer_norm_forward(std::int64_t units, std::span<const std::uint8_t> reset, MatView<const float> z,
                        std::span<const float> gain, std::span<const float> bias, MatView<float> y,
                        const NormTape& tape);

// With dn = gain dy:   dz = inverse (dn - mean dn - n mean(dn n))   dgain += dy n, for each row by itself
//
// Sets tape.normalized to dz; adds to dgain (R, G * units), whose rows the caller sums. In rows that are reset, z
//      counts
// as constant zeros: dz is 0 and nothing is added.
void layer_norm_backward(std::int64_t units, std::span<const std::uint8_t> reset, MatView<const float> dy,
                         std::span<const float> gain, const NormTape& tape, MatView<float> dgain);

}  // namespace unroll
