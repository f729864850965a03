// A linear layer without bias.
#pragma once

#include "base/view.h"
#include "base/workers.h"
#include "kernels/matmul.h"

namespace unroll {

// A projection packed for products.
struct ProjectionWeights {
  PackedMatrix P;       // (H, E)
  PackedMatrix P_back;  // (E, H); empty for inference
};

// y = x P^T.
//
// Shapes   x (R, H), P (E, H), y (R, E).
// Numerics products in the precision of the weights. A row's bits do not depend on other rows.
// Threads  uses `workers`.
// Source   Sak, Senior & Beaufays 2014, between tied embeddings and wider layers; docs/math/projection.md.
void projection_forward(Workers& workers, const ProjectionWeights& weights, MatView<const float> x, MatView<float> y);

// dx = dy P   dP += dy^T x.
//
// Sets     dx (R, H).
// Adds     to dP (E, H).
void projection_backward(Workers& workers, const ProjectionWeights& weights, MatView<const float> x,
                         MatView<const float> dy, MatView<float> dP, MatView<float> dx);

}  // namespace unroll
