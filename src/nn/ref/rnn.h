// The simple recurrent network in plain loops: the definition against which nn/rnn.h is tested.
#pragma once

#include "nn/ref/layer_norm.h"
#include "nn/ref/recurrent.h"
#include "nn/rnn.h"

namespace unroll::ref {

// h_t = f(U x_t + b + W h_{t-1} + b'), both products normalised where p has gains. Sets tape and state1.
template <class S>
void rnn_forward(const RecurrentShape& s, Nonlinearity f, const RecurrentParams<const S>& p, const Matrix<S>& x,
                 std::span<const std::uint8_t> reset, const State<S>& state0, Tape<S>& tape, State<S>& state1) {
  tape = make_tape(s, 1, x, reset);
  for (std::int64_t t = 0; t < s.T; ++t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      take_state(s, tape, t, b, state0.h, tape.h, tape.h_before);
      const std::vector<S> Ux = products_of(p.U, p.norm_input, s.H, x.row(row));
      const std::vector<S> Wh = products_of(p.W, p.norm_hidden, s.H, tape.h_before.row(row));
      for (std::int64_t j = 0; j < s.H; ++j) {
        const auto i = static_cast<std::size_t>(j);
        const S a = Ux[i] + p.b_input[i] + Wh[i] + p.b_hidden[i];
        tape.h(row, j) = f == Nonlinearity::kTanh ? tanh_of(a) : relu(a);
      }
    }
  }
  state1 = {last_step(s, tape.h), {}};
}

// Adds to dparams; sets dx and dstate0.
template <class S>
void rnn_backward(const RecurrentShape& s, Nonlinearity f, const RecurrentParams<const S>& p, const Tape<S>& tape,
                  const Matrix<S>& dout, const State<S>& dstate1, const RecurrentParams<S>& dp, Matrix<S>& dx,
                  State<S>& dstate0) {
  dx = Matrix<S>(s.T * s.B, s.E);
  dstate0 = dstate1;
  for (std::int64_t t = s.T - 1; t >= 0; --t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      std::vector<S> da(static_cast<std::size_t>(s.H));
      std::vector<S> dh_before(static_cast<std::size_t>(s.H), S(0));
      for (std::int64_t j = 0; j < s.H; ++j) {
        const auto i = static_cast<std::size_t>(j);
        const S h = tape.h(row, j);
        const S dh = dout(row, j) + dstate0.h(b, j);
        const S slope = f == Nonlinearity::kTanh ? S(1) - h * h : S(real_part(h) > 0 ? 1 : 0);
        da[i] = dh * slope;
        dp.b_input[i] += da[i];
        dp.b_hidden[i] += da[i];
      }
      products_back(p.U, p.norm_input, s.H, tape.x.row(row), da, dp.U, dp.norm_input, dx.row(row));
      products_back(p.W, p.norm_hidden, s.H, tape.h_before.row(row), da, dp.W, dp.norm_hidden, dh_before.data());
      take_state_back(tape, row, b, dh_before, dstate0.h);
    }
  }
}

}  // namespace unroll::ref
