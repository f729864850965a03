// What turns a gradient into an update.
#pragma once

#include <cstdint>
#include <optional>

#include "base/workers.h"
#include "model/gradients.h"
#include "model/parameters.h"
#include "unroll/train.h"

namespace unroll {

// sqrt of the sum of squares over all parameters, in double.
//
// Numerics the sum runs over tiles of a fixed size, those of the embedding's rows last and in the order in which their
//          symbols were first read, then over tiles in order: the bits do not depend on the number of workers.
[[nodiscard]] double gradient_norm(Workers& workers, const Gradients& gradients);

// The optimizer's own numbers: first and second moments for Adam, nothing for SGD.
struct Moments {
  Moments(Optimizer optimizer, const NetworkConfig& config);
  void set_zero();

  std::optional<Parameters> m;
  std::optional<Parameters> v;
};

// One update of all parameters. `scale` multiplies the gradient first (clipping); `step` counts from 1 (Adam's bias
// correction, Kingma & Ba 2015, with beta1 0.9, beta2 0.999, epsilon 1e-8). Rows of the embedding without a gradient
// are left alone by SGD, and updated as if by a gradient of zeros by Adam, whose moments move weights on.
void update_parameters(Workers& workers, const Gradients& gradients, double scale, double rate, std::int64_t step,
                       Moments& moments, Parameters& parameters);

}  // namespace unroll
