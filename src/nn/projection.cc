#include "nn/projection.h"

#include "nn/recurrent_steps.h"

namespace unroll {

void projection_forward(Workers& workers, const ProjectionWeights& weights, MatView<const float> x, MatView<float> y) {
  multiply_rows(workers, x, weights.P, {}, y);
}

void projection_backward(Workers& workers, const ProjectionWeights& weights, MatView<const float> x,
                         MatView<const float> dy, MatView<float> dP, MatView<float> dx) {
  multiply_rows(workers, dy, weights.P_back, {}, dx);
  add_weight_gradients(workers, weights.P.precision(), dy, {{x, dP}});
}

}  // namespace unroll
