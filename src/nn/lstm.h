// Long short-term memory.
#pragma once

#include "nn/recurrent.h"

namespace unroll {

// Runs one LSTM layer over T steps for B independent rows.
//
//   i,f,o = sigmoid(U x_t + b + W h_{t-1} + b')   g = tanh(the same sum)  gate order i,f,g,o
//   c_t = f c_{t-1} + i g                         h_t = o tanh(c_t)
//
// Shapes   as in RecurrentTape; tape.h and tape.c row block 0 hold the previous state, set by the caller.
// Tape     reads x, reset; sets gates, h, c from row B on; products is scratch. 4+1+1 floats per row, step and unit.
// Numerics float, products in the precision of the weights; gate functions within the bounds of
//          kernels/activations-inl.h. A row's bits do not depend on other rows.
// Threads  uses `workers`; reentrant on distinct tapes and workers.
// Source   Hochreiter & Schmidhuber 1997; forget gate from Gers, Schmidhuber & Cummins 2000; docs/math/lstm.md.
void lstm_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape);

// Backward of lstm_forward.
//
//   dh_t = dout_t + W^T dgates_{t+1}      dc_t = dc_{t+1} f_{t+1} + dh_t o (1 - tanh^2 c_t)
//   di = dc g i(1-i)   df = dc c_{t-1} f(1-f)   dg = dc i (1-g^2)   do = dh tanh(c) o(1-o)
//   dU += dgates^T x   dW += dgates^T h_{t-1}   db += sum dgates   dx = dgates U
//
// Shapes   dout (T*B, H) gradient with respect to the outputs; dx (T*B, E), no data: not computed.
// Adds     to dparams; sets dx; dstate goes in as the gradient after the window and comes out as the one before it.
// Tape     gates are replaced by their gradients.
// Numerics weight gradients are one sum over all rows and steps, in an order fixed by the shapes.
void lstm_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                   MatView<const float> dout, const RecurrentParams<float>& dparams, RecurrentGradientState dstate,
                   MatView<float> dx);

}  // namespace unroll
