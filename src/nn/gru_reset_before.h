// Gated recurrent unit in its original form: the reset gate multiplies the state before the recurrent product.
#pragma once

#include "nn/recurrent.h"

namespace unroll {

// Runs one GRU layer over T steps for B independent rows.
//
//   r,z = sigmoid(U x_t + b + W h_{t-1} + b')   n = tanh(U_n x_t + b_n + W_n (r h_{t-1}) + b'_n)
//   h_t = (1 - z) n + z h_{t-1}                  gate order r,z,n
//
// Shapes   as in RecurrentTape; tape.h row block 0 holds the previous state, set by the caller.
// Tape     reads x, reset; sets gates (r,z,n), h from row B on, candidate (r h_{t-1}); products is scratch. 3+1+1
//          floats per row, step and unit.
// Numerics float, products in the precision of the weights; gate functions within the bounds of
//          kernels/activations-inl.h. A row's bits do not depend on other rows.
// Threads  uses `workers`; reentrant on distinct tapes and workers.
// Source   Cho et al. 2014 (arXiv:1406.1078), with z and 1-z as PyTorch has them; docs/math/gru_reset_before.md.
void gru_reset_before_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                              RecurrentTape& tape);

// Backward of gru_reset_before_forward.
//
//   dn = dh (1-z) (1-n^2)   dz = dh (h_{t-1} - n) z(1-z)   dp = W_n^T dn   dr = dp h_{t-1} r(1-r)
//   dh_{t-1} = dh z + dp r + W_rz^T [dr, dz]
//   dU += [dr,dz,dn]^T x   dW_rz += [dr,dz]^T h_{t-1}   dW_n += dn^T (r h_{t-1})   db, db' += sum [dr,dz,dn]
//   dx = [dr,dz,dn] U
//
// Shapes   dout (T*B, H) gradient with respect to the outputs; dx (T*B, E), no data: not computed.
// Adds     to dparams; sets dx; dstate.dh goes in as the gradient after the window and comes out as the one before it.
// Tape     gates are replaced by dr, dz, dn.
// Numerics weight gradients are one sum over all rows and steps, in an order fixed by the shapes.
void gru_reset_before_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                               RecurrentTape& tape, MatView<const float> dout, const RecurrentParams<float>& dparams,
                               RecurrentGradientState dstate, MatView<float> dx);

}  // namespace unroll
