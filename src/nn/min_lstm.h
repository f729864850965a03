// Minimal long short-term memory: gates and candidate depend on the input alone, and the gates are normalised to sum
// to 1.
#pragma once

#include "nn/recurrent.h"

namespace unroll {

// Runs one minLSTM layer over T steps for B independent rows.
//
//   f,i = sigmoid(U x_t + b)   n = g(U_n x_t + b_n)   g(a) = a + 1/2 for a >= 0, else sigmoid(a)    gate order f,i,n
//   h_t = f/(f+i) h_{t-1} + i/(f+i) n
//
// Shapes   as in RecurrentTape; tape.h row block 0 holds the previous state, set by the caller.
// Tape     reads x, reset; sets gates (before the nonlinearity) and h from row B on. 3+1 floats per row, step and unit.
// Numerics float, products in the precision of the weights; gate functions within the bounds of
//          kernels/activations-inl.h; shares are exact also where f and i are too small for a float. A row's bits do
//          not depend on other rows.
// Threads  uses `workers`; reentrant on distinct tapes and workers. One product computes the gates of all steps;
//          units sweep over time in parallel.
// Source   Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024 (arXiv:2410.01201), section 3.2; g: their appendix B;
//          docs/math/min_lstm.md.
void min_lstm_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                      RecurrentTape& tape);

// Backward of min_lstm_forward. With f' = f/(f+i), i' = i/(f+i):
//
//   dh_t = dout_t + dh_{t+1} f'_{t+1}   df = dh (h_{t-1} - n) f' i' (1-f)   di = dh (n - h_{t-1}) f' i' (1-i)
//   dn = dh i' g'(a_n)   dU += [df,di,dn]^T x   db += sum [df,di,dn]   dx = [df,di,dn] U
//
// Shapes   dout (T*B, H) gradient with respect to the outputs; dx (T*B, E), no data: not computed.
// Adds     to dparams (U and b_input alone); sets dx; dstate.dh goes in as the gradient after the window and comes out
//          as the one before it.
// Tape     gates are replaced by their gradients.
// Numerics weight gradients are one sum over all rows and steps, in an order fixed by the shapes.
void min_lstm_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                       RecurrentTape& tape, MatView<const float> dout, const RecurrentParams<float>& dparams,
                       RecurrentGradientState dstate, MatView<float> dx);

}  // namespace unroll
