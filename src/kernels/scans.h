// The cells without recurrent weights: each unit is a separate recurrence h_t = a_t h_{t-1} + b_t with a_t and b_t
// known beforehand, and one call sweeps over a whole window, forward or backward.
//
// Shapes   of a window: gates (T*B, G*H), before the nonlinearity (backward: their gradients out); h ((T+1)*B, H), row
//          block 0 the previous state; dout (T*B, H); dh (B, H), in: gradient of the state after the window, out: of
//          the state before. All contiguous. A call handles units [first, last) of each step and touches nothing else.
// Reset    a step whose bit is set starts from zero: the previous state is not read, and receives no gradient.
// Numerics float; nonlinearities within the bounds of kernels/activations-inl.h; multiply-adds are fused where so
//          written. A unit's bits depend on that unit alone, not on the cut into calls.
// Threads  reentrant on distinct units. No allocation, no throw after the first call.
#pragma once

#include <cstdint>

namespace unroll {

struct ScanShape {
  std::int64_t T = 0;
  std::int64_t B = 0;
  std::int64_t H = 0;
  const std::uint8_t* reset = nullptr;  // (T*B) or null: nowhere
  std::int64_t first = 0;               // unit j of row b is number b*H + j of its step
  std::int64_t last = 0;
};

// z = sigmoid(a_z)  n = g(a_n)  h_t = (1 - z) h_{t-1} + z n      gates: a_z, a_n;  g(a) = a + 1/2 for a >= 0, else
// sigmoid(a)
void min_gru_scan_forward(const ScanShape& shape, const float* gates, float* h);

// d = dout_t + dh;  da_z = d (n - h_{t-1}) z (1 - z)  da_n = d z g'(a_n)  dh = d (1 - z)
void min_gru_scan_backward(const ScanShape& shape, float* gates, const float* h, const float* dout, float* dh);

// f,i = sigmoid(a_f, a_i)  n = g(a_n)  h_t = (f h_{t-1} + i n) / (f + i)      gates: a_f, a_i, a_n
// Exact also where f and i are both too small for a float.
void min_lstm_scan_forward(const ScanShape& shape, const float* gates, float* h);

// d = dout_t + dh, f' = f / (f + i), i' = i / (f + i);  da_f = d (h_{t-1} - n) f' i' (1 - f)
// da_i = d (n - h_{t-1}) f' i' (1 - i)  da_n = d i' g'(a_n)  dh = d f'
void min_lstm_scan_backward(const ScanShape& shape, float* gates, const float* h, const float* dout, float* dh);

}  // namespace unroll
