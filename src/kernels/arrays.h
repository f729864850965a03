// Arithmetic on plain arrays of floats. All functions are reentrant and do not allocate.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/view.h"

namespace unroll {

// y += x.
void add(std::span<const float> x, std::span<float> y);

// y += factor * x.
void add_scaled(float factor, std::span<const float> x, std::span<float> y);

// Returns the sum of products, in double. Requires equal sizes.
[[nodiscard]] double dot(std::span<const float> x, std::span<const float> y);

// Returns the sum of squares, in double.
[[nodiscard]] double sum_of_squares(std::span<const float> x);

// sums[c] += sum over rows of x(r, c), as for a bias gradient. Rows are summed in order, from zero, and added once.
void add_column_sums(MatView<const float> x, std::span<float> sums);

// Scalars of one update of stochastic gradient descent.
struct SgdStep {
  float scale = 1;  // of the gradient
  float rate = 0;
  float momentum = 0;
  float weight_decay = 0;
};

// w -= rate (scale g + weight_decay w); ignores momentum.
void sgd_update(std::span<float> w, std::span<const float> g, const SgdStep& step);

// v = momentum v + scale g   w -= rate (v + weight_decay w): the decay is not part of v.
// Source: Polyak 1964, in PyTorch's form, which leaves the rate out of v; Loshchilov & Hutter 2019, algorithm 1.
void momentum_update(std::span<float> w, std::span<const float> g, std::span<float> v, const SgdStep& step);

// Scalars of one Adam update. rate and the corrections 1 / (1 - beta^step) are those of this step.
struct AdamStep {
  float scale = 1;  // of the gradient
  float rate = 0;
  float weight_decay = 0;
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float epsilon = 1e-8F;
  float correction1 = 1;
  float correction2 = 1;
};

// m = beta1 m + (1-beta1) g   v = beta2 v + (1-beta2) g^2
// w -= rate m correction1 / (sqrt(v correction2) + epsilon) + rate weight_decay w
// where g is scaled. Source: Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019, algorithm 2.
void adam_update(std::span<float> w, std::span<const float> g, std::span<float> m, std::span<float> v,
                 const AdamStep& step);

// w += decay (w0 - w) - rate g: a gradient step and a decay towards the initial w0. Source: Krause et al. 2018, eq. 4.
void dynamic_update(std::span<float> w, std::span<const float> w0, std::span<const float> g, float rate, float decay);

// y += share (x - y).
void move_towards(std::span<const float> x, std::span<float> y, float share);

// y_u = x_u * (keep_u ? factor : 0) where unit u is kept if word u of the random stream is at least `threshold`;
// words come from Philox4x32-10 with counter (base[0], base[1], base[2], u / 4). y may be x.
void drop_units(std::span<const float> x, std::span<float> y, const std::array<std::uint32_t, 3>& counter,
                std::uint64_t seed, std::uint32_t threshold, float factor);

}  // namespace unroll
