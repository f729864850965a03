// What turns a gradient into an update.
#pragma once

#include <cstdint>
#include <optional>

#include "base/workers.h"
#include "network/gradients.h"
#include "network/parameters.h"
#include "unroll/train.h"

namespace unroll {

// sqrt of the sum of squares over all parameters, in double.
//
// Numerics the sum runs over tiles of a fixed size, those of rows of the embedding and the output layer last and in
//          the order in which their symbols first came, then over tiles in order: the bits do not depend on the number
//          of workers.
[[nodiscard]] double gradient_norm(Workers& workers, const Gradients& gradients);

// How a run updates, the same at every step. g is the gradient, scaled.
//
//   sgd    v = momentum v + g   w -= rate (v + weight_decay w)          (without momentum v is g and not stored)
//   adam   Kingma & Ba 2015 with beta1 0.9, epsilon 1e-8, and - rate weight_decay w   (Loshchilov & Hutter 2019)
//
// Weight decay is for matrices, the embedding among them; tensors of one dimension (biases, gains) do not decay.
struct UpdateRule {
  Optimizer optimizer = Optimizer::kAdam;
  double momentum = 0;  // of sgd
  double beta2 = 0.999;
  double weight_decay = 0;
  // Rows of the embedding, and of the output layer under a sampled softmax, that have no gradient rest: moments and
  // decay do not act on them, as in PyTorch's SparseAdam. For large vocabularies, most rows of which no step touches.
  bool rows_rest = false;
};

// The optimizer's own numbers: first and second moments of Adam, the velocity of momentum (as m).
struct Moments {
  Moments(const UpdateRule& rule, const NetworkConfig& config);
  void set_zero();

  // How many of the two a rule needs.
  static int count(const UpdateRule& rule) noexcept;

  std::optional<Parameters> m;
  std::optional<Parameters> v;
};

// What is different at each step.
struct UpdateStep {
  double scale = 1;  // of the gradient: clipping
  double rate = 0;
  std::int64_t step = 1;     // counted from 1, for Adam's bias correction
  double average_share = 0;  // how far the average of the weights moves towards the updated ones; 0: it stays
};

// One update of all parameters. Unless rows rest, a row of the embedding without a gradient is updated as if by a
// gradient of zeros: moments move it on, and it decays. Plain SGD without decay has nothing to do there and does not
// touch it. `average` moves in the same pass, of rows that rest too; null: there is none.
void update_parameters(Workers& workers, const Gradients& gradients, const UpdateRule& rule, const UpdateStep& step,
                       Moments& moments, Parameters& parameters, Parameters* average = nullptr);

}  // namespace unroll
