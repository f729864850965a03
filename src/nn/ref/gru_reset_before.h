// Gated recurrent unit with the reset gate before the recurrent product, in plain loops: the definition that
// nn/gru_reset_before.h is held to.
#pragma once

#include "nn/ref/recurrent.h"

namespace unroll::ref {

// r,z = sigmoid(U x_t + b + W h_{t-1} + b'), n = tanh(U_n x_t + b_n + W_n (r h_{t-1}) + b'_n),
// h_t = (1 - z) n + z h_{t-1}. Gate order r,z,n. Sets tape and state1.
template <class S>
void gru_reset_before_forward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Matrix<S>& x,
                              std::span<const std::uint8_t> reset, const State<S>& state0, Tape<S>& tape,
                              State<S>& state1) {
  tape = make_tape(s, 3, x, reset);
  for (std::int64_t t = 0; t < s.T; ++t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      take_state(s, tape, t, b, state0.h, tape.h, tape.h_before);
      for (std::int64_t k = 0; k < 3 * s.H; ++k) {
        const auto i = static_cast<std::size_t>(k);
        const S* seen = k < 2 * s.H ? tape.h_before.row(row) : tape.candidate.row(row);
        const S a = row_product(p.U, k, x.row(row)) + p.b_input[i] + row_product(p.W, k, seen) + p.b_hidden[i];
        tape.gates(row, k) = k < 2 * s.H ? sigmoid(a) : tanh_of(a);
        if (k < s.H) tape.candidate(row, k) = tape.gates(row, k) * tape.h_before(row, k);
      }
      for (std::int64_t j = 0; j < s.H; ++j) {
        const S z = tape.gates(row, s.H + j);
        const S n = tape.gates(row, 2 * s.H + j);
        tape.h(row, j) = (S(1) - z) * n + z * tape.h_before(row, j);
      }
    }
  }
  state1 = {last_step(s, tape.h), {}};
}

// Adds to dparams; sets dx and dstate0.
template <class S>
void gru_reset_before_backward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Tape<S>& tape,
                               const Matrix<S>& dout, const State<S>& dstate1, const RecurrentParams<S>& dp,
                               Matrix<S>& dx, State<S>& dstate0) {
  dx = Matrix<S>(s.T * s.B, s.E);
  dstate0 = dstate1;
  for (std::int64_t t = s.T - 1; t >= 0; --t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      std::vector<S> da(static_cast<std::size_t>(3 * s.H));
      std::vector<S> dh_before(static_cast<std::size_t>(s.H), S(0));
      std::vector<S> dreset_h(static_cast<std::size_t>(s.H), S(0));  // of r h_{t-1}
      for (std::int64_t j = 0; j < s.H; ++j) {
        const S z = tape.gates(row, s.H + j);
        const S n = tape.gates(row, 2 * s.H + j);
        const S dh = dout(row, j) + dstate0.h(b, j);
        da[static_cast<std::size_t>(2 * s.H + j)] = dh * (S(1) - z) * (S(1) - n * n);
        da[static_cast<std::size_t>(s.H + j)] = dh * (tape.h_before(row, j) - n) * z * (S(1) - z);
        dh_before[static_cast<std::size_t>(j)] = dh * z;
      }
      // The candidate's products first: the gradient of r needs what comes back through them.
      for (std::int64_t k = 3 * s.H - 1; k >= 0; --k) {
        const auto i = static_cast<std::size_t>(k);
        if (k < s.H) {
          const S r = tape.gates(row, k);
          da[i] = dreset_h[i] * tape.h_before(row, k) * r * (S(1) - r);
          dh_before[i] += dreset_h[i] * r;
        }
        const bool is_candidate = k >= 2 * s.H;
        const S* seen = is_candidate ? tape.candidate.row(row) : tape.h_before.row(row);
        row_product_back(p.U, k, tape.x.row(row), da[i], dp.U, dx.row(row));
        row_product_back(p.W, k, seen, da[i], dp.W, is_candidate ? dreset_h.data() : dh_before.data());
        dp.b_input[i] += da[i];
        dp.b_hidden[i] += da[i];
      }
      take_state_back(tape, row, b, dh_before, dstate0.h);
    }
  }
}

}  // namespace unroll::ref
