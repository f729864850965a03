// From a gradient to an update of the parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/workers.h"
#include "dist/owners.h"
#include "dist/shares.h"
#include "network/gradients.h"
#include "network/parameters.h"
#include "unroll/train.h"

namespace unroll {

// sqrt of the sum of squares over all parameters, in double.
//
// Numerics the sum runs over tiles of a fixed size, and then over tiles in order: first those of dense tensors, then
//          those of rows of the embedding and the output layer, in the order in which their symbols first occurred. The
//          bits depend neither on the number of workers nor on that of ranks, each of which adds up the dense tiles
//          that it owns. Every rank has to call it.
[[nodiscard]] double gradient_norm(Workers& workers, const Gradients& gradients, const Owners& owners);

// The update rule of a run, the same at every step. g is the scaled gradient.
//
//   sgd    v = momentum v + g   w -= rate (v + weight_decay w)          (without momentum v is g and not stored)
//   adam   Kingma & Ba 2015 with beta1 0.9, epsilon 1e-8, and - rate weight_decay w   (Loshchilov & Hutter 2019)
//
// Weight decay acts on matrices, the embedding included; tensors of one dimension (biases, gains) do not decay.
struct UpdateRule {
  Optimizer optimizer = Optimizer::kAdam;
  double momentum = 0;  // of sgd
  double beta2 = 0.999;
  double weight_decay = 0;
  // Rows of the embedding, and of the output layer under a sampled softmax, that have no gradient stay as they are:
  // neither moments nor decay move them, as in PyTorch's SparseAdam. For large vocabularies, where a step touches few
  // rows.
  bool rows_rest = false;
};

// The optimizer's state: first and second moments of Adam, or the velocity of momentum (as m).
struct Moments {
  Moments(const UpdateRule& rule, const NetworkConfig& config);
  void set_zero();

  // How many of m and v a rule needs.
  static int count(const UpdateRule& rule) noexcept;

  std::optional<Parameters> m;
  std::optional<Parameters> v;
};

// What changes from step to step.
struct UpdateStep {
  double scale = 1;  // of the gradient: clipping
  double rate = 0;
  std::int64_t step = 1;               // counted from 1, for Adam's bias correction
  std::span<const double> rates = {};  // of each tensor: what `rate` is multiplied by; empty: 1
  double average_share = 0;            // how far the average moves towards the updated weights; 0: not at all
};

// What an update changes; `average` may be null.
struct UpdatedParameters {
  Moments& moments;
  Parameters& weights;
  Parameters* average = nullptr;
};

// Updates the parameters whose gradients are the part `owned` of Gradients::dense(), and those whose gradients are
// rows: all of them where that part is everything. Unless rule.rows_rest, a row of the embedding without a gradient is
// updated with a gradient of zeros: moments move it, and it decays. Plain SGD without decay would change nothing and
// does not touch it. The average moves in the same pass, for all rows.
void update_parameters(Workers& workers, const Gradients& gradients, const ShareRange& owned, const UpdateRule& rule,
                       const UpdateStep& step, const UpdatedParameters& parameters);

}  // namespace unroll
