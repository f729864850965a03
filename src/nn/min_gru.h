// Minimal gated recurrent unit: gate and candidate depend on the input alone.
#pragma once

#include "nn/recurrent.h"

namespace unroll {

// Runs one minGRU layer over T steps for B independent rows.
//
//   z = sigmoid(U_z x_t + b_z)   n = g(U_n x_t + b_n)   g(a) = a + 1/2 for a >= 0, else sigmoid(a)     gate order z,n
//   h_t = (1 - z) h_{t-1} + z n
//
// Shapes   as in RecurrentTape; tape.h row block 0 holds the previous state, set by the caller.
// Tape     reads x, reset; sets gates (before the nonlinearity) and h from row B on. 2+1 floats per row, step and unit.
// Numerics float, products in the precision of the weights; gate functions within the bounds of
//          kernels/activations-inl.h. A row's bits do not depend on other rows.
// Threads  uses `workers`; reentrant on distinct tapes and workers. One product computes the gates of all steps;
//          units sweep over time in parallel.
// Source   Feng, Tung, Ahmed, Bengio & Hajimirsadeghi 2024 (arXiv:2410.01201), section 3.1; g: their appendix B;
//          docs/math/min_gru.md.
void min_gru_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                     RecurrentTape& tape);

// Backward of min_gru_forward.
//
//   dh_t = dout_t + dh_{t+1} (1 - z_{t+1})   dz = dh (n - h_{t-1}) z(1-z)   dn = dh z g'(a_n)
//   dU += [dz,dn]^T x   db += sum [dz,dn]   dx = [dz,dn] U
//
// Shapes   dout (T*B, H) gradient with respect to the outputs; dx (T*B, E), no data: not computed.
// Adds     to dparams (U and b_input alone); sets dx; dstate.dh goes in as the gradient after the window and comes out
//          as the one before it.
// Tape     gates are replaced by their gradients.
// Numerics weight gradients are one sum over all rows and steps, in an order fixed by the shapes.
void min_gru_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                      RecurrentTape& tape, MatView<const float> dout, const RecurrentParams<float>& dparams,
                      RecurrentGradientState dstate, MatView<float> dx);

}  // namespace unroll
