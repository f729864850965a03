// The nonlinearities over arrays.
#pragma once

#include <span>

namespace unroll {

// y_i = e^x_i, sigmoid(x_i), tanh(x_i); y may be x. Bounds: kernels/activations-inl.h. Reentrant.
void exponentials(std::span<const float> x, std::span<float> y);
void sigmoids(std::span<const float> x, std::span<float> y);
void hyperbolic_tangents(std::span<const float> x, std::span<float> y);

}  // namespace unroll
