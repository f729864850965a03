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
  // The same of the reference backward in float: what rounding causes at this point, whatever the code. Large where the
  // terms of a derivative cancel, as behind the layer normalisation of two units, whose result is nearly constant.
  double rounding = 0;
};

// Bounds of the errors of a tensor. Rounding to double causes errors of about 1e-15, and to float of about 1e-6, where
// the terms of a derivative do not cancel; a wrong term causes 1e-2 and more. The usual bounds are in between. Where
// rounding alone comes near them, the bounds are kRoundingFactor times what it causes in plain loops at the same point:
// in float for production, and 2^-29 of that for the double of the reference. So code that is as good as plain loops
// passes at every point, and a wrong term is found wherever floats can show it; the bound of the reference stays small.
struct GradientErrorBounds {
  static constexpr double kReference = 1e-12;
  static constexpr double kProduction = 1e-4;
  static constexpr double kRoundingFactor = 32;

  double reference = kReference;
  double production = kProduction;
};

[[nodiscard]] GradientErrorBounds error_bounds(const TensorGradientError& tensor) noexcept;

// Whether both errors are within their bounds; false for NaN.
[[nodiscard]] bool is_within_bounds(const TensorGradientError& tensor) noexcept;

// Compares, for every parameter of a small network, the gradient of backpropagation with the complex-step derivative of
// the reference forward, Im f(x + i h) / h, h = 1e-100, which has no cancellation and is exact to double precision
// (Squire & Trapp 1998). For rnn-relu, whose forward is not analytic at 0, it is the derivative of the branch taken.
[[nodiscard]] std::vector<TensorGradientError> check_gradients(const GradientCheckOptions& options);

}  // namespace unroll
