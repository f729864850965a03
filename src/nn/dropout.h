// Dropout: sets units, whole symbols, or weights to zero for one window.
#pragma once

#include <cstdint>
#include <span>

#include "base/philox.h"
#include "base/view.h"
#include "base/workers.h"

namespace unroll {

// The run and step that random masks belong to. They depend on nothing else, so backward regenerates the same masks,
// and so does a resumed run.
struct NoiseKey {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
};

// Where the rows of a matrix have their random numbers. Those of a window, row t*B + b being step t of sequence b, have
// them by their place in the whole window: a part of it, of some of its sequences, drops the same units.
struct MaskRows {
  std::int64_t B = 0;      // sequences of the matrix; 0: its rows are those of no window
  std::int64_t first = 0;  // the place of its first row, or sequence, in the whole
  std::int64_t all = 0;    // sequences of the whole window
  bool locked = false;     // one mask for all steps of a sequence

  [[nodiscard]] std::uint32_t at(std::int64_t r) const noexcept {
    if (B == 0) return static_cast<std::uint32_t>(first + r);
    return static_cast<std::uint32_t>((locked ? 0 : r / B * all) + first + r % B);
  }
};

// A matrix of masks m: each 0 with probability p, else 1.
struct DropoutMask {
  double probability = 0;  // p, from 0 to below 1
  NoiseKey key = {};
  RandomPurpose purpose = RandomPurpose::kDropout;
  std::uint32_t index = 0;  // below 2^16: the connection or layer
  MaskRows rows = {};
};

// y = x m / (1 - p), m independent over rows (but for locked ones) and units.
//
// Shapes   x, y (R, N); y may be x.
// Numerics m from Philox at (step, purpose and index, rows.at(row), unit / 4).
// Threads  uses `workers`.
// Source   Srivastava et al. 2014; on the non-recurrent connections of a recurrent network: Zaremba,
//          Sutskever & Vinyals 2014; one mask for all steps: Gal & Ghahramani 2016; on recurrent weights: Wan et al.
//          2013, Merity, Keskar & Socher 2018. docs/math/dropout.md.
void dropout_forward(Workers& workers, const DropoutMask& mask, MatView<const float> x, MatView<float> y);

// dx = dy m / (1 - p) with the same m. Sets dx, which may be dy.
void dropout_backward(Workers& workers, const DropoutMask& mask, MatView<const float> dy, MatView<float> dx);

// Dropout of whole symbols: y_r = x_r m_id / (1 - p) with one m for each symbol id = ids[r], wherever it stands.
//
// Shapes   ids (R), x, y (R, N); y may be x.
// Numerics m from Philox at (step, purpose and index, id, 0).
// Source   Gal & Ghahramani 2016, "embedding dropout".
void word_dropout_forward(Workers& workers, const DropoutMask& mask, std::span<const std::int32_t> ids,
                          MatView<const float> x, MatView<float> y);

// dx_r = dy_r m_id / (1 - p) with the same m. Sets dx, which may be dy.
void word_dropout_backward(Workers& workers, const DropoutMask& mask, std::span<const std::int32_t> ids,
                           MatView<const float> dy, MatView<float> dx);

}  // namespace unroll
