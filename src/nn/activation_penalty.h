// Penalties on the outputs of the last layer: on large values, and on large changes from step to step. Only their
// gradients are needed: the reported loss is that of the predictions.
#pragma once

#include <cstdint>
#include <span>

#include "base/view.h"
#include "base/workers.h"

namespace unroll {

// Adds the gradient of  factor * mean(y^2):  dy += 2 factor / (R N) y.
//
// Shapes   y, dy (R, N).
// Adds     to dy.
// Threads  uses `workers`.
// Source   Merity, McCann & Socher 2017, "Revisiting activation regularization" (AR); docs/math/activation_penalty.md.
void add_activation_penalty(Workers& workers, double factor, MatView<const float> y, MatView<float> dy);

// Adds the gradient of  factor * sum of (h_t - h_{t-1})^2 / ((T-1) B N)  over t = 1 .. T-1, without the pairs between
//      which
// the state was reset.
//
// Shapes   h, dh (T*B, N), time-major; reset (T*B) or empty. Does nothing if T is 1.
// Adds     to dh.
// Threads  uses `workers`.
// Source   the same (TAR).
void add_temporal_penalty(Workers& workers, double factor, std::int64_t B, std::span<const std::uint8_t> reset,
                          MatView<const float> h, MatView<float> dh);

}  // namespace unroll
