#include "nn/min_gru.h"

#include "nn/scan_steps.h"

namespace unroll {

void min_gru_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                     RecurrentTape& tape) {
  scan_forward(workers, shape, weights, tape, min_gru_scan_forward);
}

void min_gru_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                      RecurrentTape& tape, MatView<const float> dout, const RecurrentParams<float>& dparams,
                      RecurrentGradientState dstate, MatView<float> dx) {
  scan_backward(workers, shape, weights, tape, dout, dparams, dstate, dx, min_gru_scan_backward);
}

}  // namespace unroll
