// Elman's simple recurrent network, with tanh or ReLU.
#pragma once

#include "nn/recurrent.h"

namespace unroll {

// The nonlinearity of a simple recurrent layer.
enum class Nonlinearity { kTanh, kRelu };

// Runs one simple recurrent layer over T steps for B independent rows.
//
//   h_t = f(U x_t + b + W h_{t-1} + b')      f = tanh or max(0, .)
//
// Shapes   as in RecurrentTape; tape.h row block 0 holds the previous state, set by the caller.
// Tape     reads x, reset; sets h from row B on; gates holds U x_t + b; products is scratch. 1+1 floats per row, step
//          and unit.
// Numerics float, products in the precision of the weights; tanh within the bounds of kernels/activations-inl.h. A
//          row's bits do not depend on other rows.
// Threads  uses `workers`; reentrant on distinct tapes and workers.
// Source   Elman 1990, "Finding structure in time"; ReLU from Le, Jaitly & Hinton 2015; docs/math/rnn.md.
void rnn_forward(Workers& workers, const RecurrentShape& shape, Nonlinearity f, const RecurrentWeights& weights,
                 RecurrentTape& tape);

// Backward of rnn_forward.
//
//   dh_t = dout_t + W^T da_{t+1}    da_t = dh_t (1 - h_t^2)  or  dh_t [h_t > 0]
//   dU += da^T x   dW += da^T h_{t-1}   db, db' += sum da   dx = da U
//
// Shapes   dout (T*B, H) gradient with respect to the outputs; dx (T*B, E), no data: not computed.
// Adds     to dparams; sets dx; dstate.dh goes in as the gradient after the window and comes out as the one before it.
// Tape     gates are replaced by da.
// Numerics weight gradients are one sum over all rows and steps, in an order fixed by the shapes.
void rnn_backward(Workers& workers, const RecurrentShape& shape, Nonlinearity f, const RecurrentWeights& weights,
                  RecurrentTape& tape, MatView<const float> dout, const RecurrentParams<float>& dparams,
                  RecurrentGradientState dstate, MatView<float> dx);

}  // namespace unroll
