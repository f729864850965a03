// Dropout on connections that are not recurrent.
#pragma once

#include <cstdint>

#include "base/view.h"
#include "base/workers.h"

namespace unroll {

// Which masks: they depend on seed, step and connection alone, so the way back makes the same ones again.
struct DropoutKey {
  double probability = 0;  // of dropping a unit; 0: nothing is dropped
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
};

// y = x m / (1 - p), each m being 0 with probability p and 1 otherwise, independent over rows and units.
//
// Shapes   x, y (R, N); y may be x.
// Numerics m from Philox at (step, dropout and connection, row, unit / 4).
// Threads  uses `workers`.
// Source   Srivastava et al. 2014; on the connections of a recurrent network that are not recurrent: Zaremba,
//          Sutskever & Vinyals 2014.
void dropout_forward(Workers& workers, const DropoutKey& key, std::uint32_t connection, MatView<const float> x,
                     MatView<float> y);

// dx = dy m / (1 - p) with the same m. Sets dx, which may be dy.
void dropout_backward(Workers& workers, const DropoutKey& key, std::uint32_t connection, MatView<const float> dy,
                      MatView<float> dx);

}  // namespace unroll
