// Long short-term memory in plain loops: the definition that nn/lstm.h is held to.
#pragma once

#include "nn/ref/recurrent.h"

namespace unroll::ref {

// i,f,o = sigmoid(U x_t + b + W h_{t-1} + b'), g = tanh(the same); c_t = f c_{t-1} + i g; h_t = o tanh(c_t).
// Gate order i,f,g,o. Sets tape and state1.
template <class S>
void lstm_forward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Matrix<S>& x,
                  std::span<const std::uint8_t> reset, const State<S>& state0, Tape<S>& tape, State<S>& state1) {
  tape = make_tape(s, 4, x, reset);
  for (std::int64_t t = 0; t < s.T; ++t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      take_state(s, tape, t, b, state0.h, tape.h, tape.h_before);
      take_state(s, tape, t, b, state0.c, tape.c, tape.c_before);
      for (std::int64_t k = 0; k < 4 * s.H; ++k) {
        const auto i = static_cast<std::size_t>(k);
        const S a = row_product(p.U, k, x.row(row)) + p.b_input[i] + row_product(p.W, k, tape.h_before.row(row)) +
                    p.b_hidden[i];
        tape.gates(row, k) = k / s.H == 2 ? tanh_of(a) : sigmoid(a);
      }
      for (std::int64_t j = 0; j < s.H; ++j) {
        const S i = tape.gates(row, j);
        const S f = tape.gates(row, s.H + j);
        const S g = tape.gates(row, 2 * s.H + j);
        const S o = tape.gates(row, 3 * s.H + j);
        tape.c(row, j) = f * tape.c_before(row, j) + i * g;
        tape.h(row, j) = o * tanh_of(tape.c(row, j));
      }
    }
  }
  state1 = {last_step(s, tape.h), last_step(s, tape.c)};
}

// Adds to dparams; sets dx and dstate0.
template <class S>
void lstm_backward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Tape<S>& tape,
                   const Matrix<S>& dout, const State<S>& dstate1, const RecurrentParams<S>& dp, Matrix<S>& dx,
                   State<S>& dstate0) {
  dx = Matrix<S>(s.T * s.B, s.E);
  dstate0 = dstate1;
  for (std::int64_t t = s.T - 1; t >= 0; --t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      std::vector<S> da(static_cast<std::size_t>(4 * s.H));
      std::vector<S> dh_before(static_cast<std::size_t>(s.H), S(0));
      std::vector<S> dc_before(static_cast<std::size_t>(s.H), S(0));
      for (std::int64_t j = 0; j < s.H; ++j) {
        const S i = tape.gates(row, j);
        const S f = tape.gates(row, s.H + j);
        const S g = tape.gates(row, 2 * s.H + j);
        const S o = tape.gates(row, 3 * s.H + j);
        const S tanh_c = tanh_of(tape.c(row, j));
        const S dh = dout(row, j) + dstate0.h(b, j);
        const S dc = dstate0.c(b, j) + dh * o * (S(1) - tanh_c * tanh_c);
        da[static_cast<std::size_t>(j)] = dc * g * i * (S(1) - i);
        da[static_cast<std::size_t>(s.H + j)] = dc * tape.c_before(row, j) * f * (S(1) - f);
        da[static_cast<std::size_t>(2 * s.H + j)] = dc * i * (S(1) - g * g);
        da[static_cast<std::size_t>(3 * s.H + j)] = dh * tanh_c * o * (S(1) - o);
        dc_before[static_cast<std::size_t>(j)] = dc * f;
      }
      for (std::int64_t k = 0; k < 4 * s.H; ++k) {
        const auto i = static_cast<std::size_t>(k);
        row_product_back(p.U, k, tape.x.row(row), da[i], dp.U, dx.row(row));
        row_product_back(p.W, k, tape.h_before.row(row), da[i], dp.W, dh_before.data());
        dp.b_input[i] += da[i];
        dp.b_hidden[i] += da[i];
      }
      take_state_back(tape, row, b, dh_before, dstate0.h);
      take_state_back(tape, row, b, dc_before, dstate0.c);
    }
  }
}

}  // namespace unroll::ref
