// Minimal gated recurrent unit in plain loops: the definition against which nn/min_gru.h is tested.
#pragma once

#include "nn/ref/scan_gates.h"

namespace unroll::ref {

// z = sigmoid(a_z), n = g(a_n), h_t = (1 - z) h_{t-1} + z n with a = U x_t + b. Gate order z,n. Sets tape (a) and
// state1.
template <class S>
void min_gru_forward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Matrix<S>& x,
                     std::span<const std::uint8_t> reset, const State<S>& state0, Tape<S>& tape, State<S>& state1) {
  const auto step = [](const UnitGates<const S>& a) {
    const S z = sigmoid(a[0]);
    return ScanStep<S>{S(1) - z, z * positive(a[1])};
  };
  scan_forward(s, 2, p, x, reset, state0, step, tape, state1);
}

// Adds to dparams; sets dx and dstate0.
template <class S>
void min_gru_backward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Tape<S>& tape,
                      const Matrix<S>& dout, const State<S>& dstate1, const RecurrentParams<S>& dp, Matrix<S>& dx,
                      State<S>& dstate0) {
  const auto step_back = [](const UnitGates<const S>& a, const S& h_before, const S& dh, const UnitGates<S>& da) {
    const S z = sigmoid(a[0]);
    da[0] = dh * (positive(a[1]) - h_before) * z * (S(1) - z);
    da[1] = dh * z * positive_slope(a[1]);
    return dh * (S(1) - z);
  };
  scan_backward(s, 2, p, tape, dout, dstate1, step_back, dp, dx, dstate0);
}

}  // namespace unroll::ref
