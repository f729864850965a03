// Minimal long short-term memory in plain loops: the definition against which nn/min_lstm.h is tested.
#pragma once

#include "nn/ref/scan_gates.h"

namespace unroll::ref {

// f / (f + i) = sigmoid(ln f - ln i) with f, i = sigmoid(a_f, a_i): defined also where f and i vanish.
template <class S>
S forget_share(const S& a_f, const S& a_i) {
  return sigmoid(softplus(-a_i) - softplus(-a_f));
}

// f,i = sigmoid(a_f, a_i), n = g(a_n), h_t = f/(f+i) h_{t-1} + i/(f+i) n with a = U x_t + b. Gate order f,i,n. Sets
// tape (a) and state1.
template <class S>
void min_lstm_forward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Matrix<S>& x,
                      std::span<const std::uint8_t> reset, const State<S>& state0, Tape<S>& tape, State<S>& state1) {
  const auto step = [](const UnitGates<const S>& a) {
    return ScanStep<S>{forget_share(a[0], a[1]), forget_share(a[1], a[0]) * positive(a[2])};
  };
  scan_forward(s, 3, p, x, reset, state0, step, tape, state1);
}

// Adds to dparams; sets dx and dstate0.
template <class S>
void min_lstm_backward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Tape<S>& tape,
                       const Matrix<S>& dout, const State<S>& dstate1, const RecurrentParams<S>& dp, Matrix<S>& dx,
                       State<S>& dstate0) {
  const auto step_back = [](const UnitGates<const S>& a, const S& h_before, const S& dh, const UnitGates<S>& da) {
    const S f_share = forget_share(a[0], a[1]);
    const S i_share = forget_share(a[1], a[0]);
    const S n = positive(a[2]);
    da[0] = dh * (h_before - n) * f_share * i_share * sigmoid(-a[0]);
    da[1] = dh * (n - h_before) * f_share * i_share * sigmoid(-a[1]);
    da[2] = dh * i_share * positive_slope(a[2]);
    return dh * f_share;
  };
  scan_backward(s, 3, p, tape, dout, dstate1, step_back, dp, dx, dstate0);
}

}  // namespace unroll::ref
