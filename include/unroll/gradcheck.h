// The gradient check: compares backpropagation with the derivative of the loss.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/network.h"
#include "unroll/regularization.h"

namespace unroll {

struct GradientCheckOptions {
  NetworkConfig config{.cell = Cell::kLstm, .vocabulary = 7, .embed = 5, .hidden = 6, .layers = 2};
  Regularization regularization = {};  // masks are drawn once
  std::int64_t steps = 4;              // T
  std::int64_t rows = 3;               // B
  std::uint64_t seed = 1;              // of the random point: all parameters and initial states are random and non-zero
};

// Result for one tensor. Errors are max |a - b| / max |b| over its elements, b being the complex-step derivative.
struct TensorGradientError {
  std::string name;           // a parameter, or an initial state: "h_0 of layer 0"
  std::int64_t elements = 0;  // all of them are checked
  double reference = 0;       // error of the reference backward: plain loops in double
  double production = 0;      // error of the backward used in training, in float
};

// Compares, for every parameter of a small network, the gradient of backpropagation with the complex-step derivative of
// the reference forward, Im f(x + i h) / h, h = 1e-100, which has no cancellation and is exact to double precision
// (Squire & Trapp 1998). For rnn-relu, whose forward is not analytic at 0, it is the derivative of the branch taken.
[[nodiscard]] std::vector<TensorGradientError> check_gradients(const GradientCheckOptions& options);

}  // namespace unroll
