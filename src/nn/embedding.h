// Symbols to vectors.
#pragma once

#include <cstdint>
#include <span>

#include "base/view.h"
#include "base/workers.h"
#include "kernels/weights.h"

namespace unroll {

// x_r = row ids[r] of the table.
//
// Shapes   table (V, E), ids (R), x (R, E). Requires 0 <= id < V.
// Threads  uses `workers`.
void embedding_forward(Workers& workers, const WeightView& table, std::span<const std::int32_t> ids, MatView<float> x);

// dtable row ids[r] += dx_r, summed in the order of r.
//
// Adds     to dtable.
// Threads  uses `workers`: each takes its own rows of the table, so a row's sum has one order.
void embedding_backward(Workers& workers, MatView<float> dtable, std::span<const std::int32_t> ids,
                        MatView<const float> dx);

}  // namespace unroll
