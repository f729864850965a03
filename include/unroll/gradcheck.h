// The gradient check: does backpropagation compute the derivative of the loss?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unroll/network.h"
#include "unroll/regularization.h"

namespace unroll {

struct GradientCheckOptions {
  NetworkConfig config{.cell = Cell::kLstm, .vocabulary = 7, .embed = 5, .hidden = 6, .layers = 2};
  Regularization regularization = {};  // with masks that are drawn once
  std::int64_t steps = 4;              // T
  std::int64_t rows = 3;               // B
  std::uint64_t seed = 1;              // of the random point: every parameter and initial state is random, none is zero
};

// One tensor's result. Errors are max |a - b| / max |b| over the tensor's elements, b being the complex step.
struct TensorGradientError {
  std::string name;           // a parameter, or the gradient of the initial state
  std::int64_t elements = 0;  // all of them are checked
  double reference = 0;       // backward in plain double loops against the complex step of the forward loops
  double production = 0;      // the float backward that trains against the complex step
};

// Compares, for every parameter of a small network, what backpropagation computes with the complex-step derivative
// Im f(x + i h) / h, h = 1e-100, which has no cancellation and is exact to double precision (Squire & Trapp 1998).
// For rnn-relu, whose forward is not analytic at 0, the step acts on the branch that was taken.
[[nodiscard]] std::vector<TensorGradientError> check_gradients(const GradientCheckOptions& options);

}  // namespace unroll
