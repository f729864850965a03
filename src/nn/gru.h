// Gated recurrent unit in PyTorch's form: the reset gate multiplies the recurrent product.
#pragma once

#include "nn/recurrent.h"

namespace unroll {

// Runs one GRU layer over T steps for B independent rows.
//
//   r,z = sigmoid(U x_t + b + W h_{t-1} + b')   q = W_n h_{t-1} + b'_n   n = tanh(U_n x_t + b_n + r q)
//   h_t = (1 - z) n + z h_{t-1}                  gate order r,z,n
//
// Shapes   as in RecurrentTape; tape.h row block 0 holds the previous state, set by the caller.
// Tape     reads x, reset; sets gates (r,z,n), h from row B on, candidate (q); products is scratch. 3+1+1 floats per
//          row, step and unit.
// Numerics float, products in the precision of the weights; gate functions within the bounds of
//          kernels/activations-inl.h. A row's bits do not depend on other rows.
// Threads  uses `workers`; reentrant on distinct tapes and workers.
// Source   Cho et al. 2014 (arXiv:1406.1078); the position of r as in cuDNN and PyTorch's nn.GRU; docs/math/gru.md.
void gru_forward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape);

// Backward of gru_forward.
//
//   dn = dh (1-z) (1-n^2)   dz = dh (h_{t-1} - n) z(1-z)   dq = dn r   dr = dn q r(1-r)
//   dh_{t-1} = dh z + W^T [dr, dz, dq]   dU += [dr,dz,dn]^T x   dW += [dr,dz,dq]^T h_{t-1}   dx = [dr,dz,dn] U
//   db += sum [dr,dz,dn]   db' += sum [dr,dz,dq]
//
// Shapes   dout (T*B, H) gradient with respect to the outputs; dx (T*B, E), no data: not computed.
// Adds     to dparams; sets dx; dstate.dh goes in as the gradient after the window and comes out as the one before it.
// Tape     gates are replaced by dr, dz, dn and candidate by dq.
// Numerics weight gradients are one sum over all rows and steps, in an order fixed by the shapes.
void gru_backward(Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights, RecurrentTape& tape,
                  MatView<const float> dout, const RecurrentParams<float>& dparams, RecurrentGradientState dstate,
                  MatView<float> dx);

}  // namespace unroll
