// The pointwise arithmetic of the cells: one step of a set of rows in one pass over memory, forward and backward.
//
// Shapes   `rows` rows of one step, each buffer contiguous: gates and products (rows, G*H), states (rows, H). `reset`
//          (rows) or null: where 1, the previous state counts as zero and the row's products are not read.
// Numerics float; nonlinearities within the bounds of kernels/activations-inl.h; multiply-adds are fused where so
//          written. The tail of a row is computed as a whole vector is. A row's bits depend on that row alone.
// Threads  reentrant on distinct rows. No allocation, no throw after the first call.
#pragma once

#include <cstdint>

namespace unroll {

struct GateShape {
  std::int64_t rows = 0;
  std::int64_t H = 0;
  const std::uint8_t* reset = nullptr;
};

// h = f(gates + products).   gates: U x + b, unchanged.
void rnn_tanh_gates_forward(const GateShape& shape, const float* gates, const float* products, float* h);
void rnn_relu_gates_forward(const GateShape& shape, const float* gates, const float* products, float* h);

// dgates = (dout + dh) f'(h).   dh: gradient from the next step. Sets dgates.
void rnn_tanh_gates_backward(const GateShape& shape, const float* h, const float* dout, const float* dh, float* dgates);
void rnn_relu_gates_backward(const GateShape& shape, const float* h, const float* dout, const float* dh, float* dgates);

// i,f,o = sigmoid(gates + products)  g = tanh(the same)  c = f c_before + i g  h = o tanh(c)
// gates: U x + b in, i,f,g,o out. Sets c, h.
void lstm_gates_forward(const GateShape& shape, float* gates, const float* products, const float* c_before, float* c,
                        float* h);

// d = dout + dh;  dc += d o (1 - tanh^2 c);  gates: i,f,g,o in, their gradients before the nonlinearity out.
// dc: in, gradient from the next step; out, for the previous step (0 where reset).
void lstm_gates_backward(const GateShape& shape, float* gates, const float* c_before, const float* c, const float* dout,
                         const float* dh, float* dc);

// The same in two halves, between which the cell state is normalised for the output (kernels/layer_norm.h).
//
// First half of the forward pass: all of lstm_gates_forward except h.
void lstm_cell_forward(const GateShape& shape, float* gates, const float* products, const float* c_before, float* c);

// Second half of the forward pass: h = o tanh(y), y (rows, H) being the normalised cell state with gain and bias.
void lstm_output_forward(const GateShape& shape, const float* gates, const float* y, float* h);

// Backward of the second half: y = gain normalized + bias;  d = dout + dh;  dy = d o (1 - tanh^2 y).
// gates: o in, its gradient before the nonlinearity out; the others unchanged. Sets dy (rows, H).
void lstm_output_backward(const GateShape& shape, float* gates, const float* normalized, const float* gain,
                          const float* bias, const float* dout, const float* dh, float* dy);

// Backward of the first half. gates: i,f,g in, their gradients before the nonlinearity out. dc: in, gradient with
// respect to c, including that through y; out, for the previous step (0 where reset).
void lstm_cell_backward(const GateShape& shape, float* gates, const float* c_before, float* dc);

// r,z = sigmoid(gates + products)  q = products_n + candidate_bias  n = tanh(gates_n + r q)  h = (1-z) n + z h_before
// gates: U x + b in (r,z with both biases, n with its own), r,z,n out. Sets candidate (q) and h.
void gru_gates_forward(const GateShape& shape, float* gates, const float* products, const float* candidate_bias,
                       const float* h_before, float* candidate, float* h);

// d = dout + dh.   gates: r,z,n in, dr,dz,dn out. candidate: q in, dq out.
// Sets products (rows, 3H) to dr,dz,dq, the factor of W's transposed product, and dh to d z (0 where reset).
void gru_gates_backward(const GateShape& shape, float* gates, float* candidate, const float* h_before,
                        const float* dout, float* dh, float* products);

// First half: r,z = sigmoid(gates + products), products (rows, 2H); candidate = r h_before.
// gates (rows, 3H): U x + b in, r,z out; n unchanged.
void gru_reset_before_gates_forward(const GateShape& shape, float* gates, const float* products, const float* h_before,
                                    float* candidate);

// Second half: n = tanh(gates_n + product), product (rows, H); h = (1-z) n + z h_before. gates: n out. Sets h.
void gru_reset_before_output_forward(const GateShape& shape, float* gates, const float* product, const float* h_before,
                                     float* h);

// Backward of the second half: d = dout + dh.  gates: z,n in, dz,dn out; r unchanged. Sets dn (rows, H), the factor of
// W_n's transposed product, and dh to d z (0 where reset).
void gru_reset_before_output_backward(const GateShape& shape, float* gates, const float* h_before, const float* dout,
                                      float* dh, float* dn);

// Backward of the first half: dp = W_n^T dn (rows, H) is the gradient of r h_before.  gates: r in, dr out; dz
// unchanged. dh += dp r (not where reset). Sets drz (rows, 2H) to dr,dz, the factor of W_rz's transposed product.
void gru_reset_before_gates_backward(const GateShape& shape, float* gates, const float* h_before, const float* dp,
                                     float* dh, float* drz);

}  // namespace unroll
