// The building blocks of the cells without recurrent weights.
#pragma once

#include "kernels/scans.h"
#include "nn/recurrent.h"

namespace unroll {

using ScanForward = void (*)(const ScanShape& shape, const float* gates, float* h);
using ScanBackward = void (*)(const ScanShape& shape, float* gates, const float* h, const float* dout, float* dh);

// gates = U x + b for all steps at once, then h by `scan`, units shared among the workers.
void scan_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                  ScanForward scan);

// Its backward: the gates' gradients and dstate.dh by `scan`, then dx = dgates U, dU += dgates^T x, db += sum dgates.
void scan_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                   MatView<const float> dout, const RecurrentParams<float>& dparams,
                   const RecurrentGradientState& dstate, MatView<float> dx, ScanBackward scan);

}  // namespace unroll
