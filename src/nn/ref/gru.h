// Gated recurrent unit with the reset gate after the recurrent product, in plain loops: the definition against which
// nn/gru.h is tested.
#pragma once

#include "nn/ref/layer_norm.h"
#include "nn/ref/recurrent.h"

namespace unroll::ref {

// r,z = sigmoid(U x_t + b + W h_{t-1} + b'), q = W_n h_{t-1} + b'_n, n = tanh(U_n x_t + b_n + r q),
// h_t = (1 - z) n + z h_{t-1}. Gate order r,z,n. Both products are normalised where p has gains. Sets tape and state1.
template <class S>
void gru_forward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Matrix<S>& x,
                 std::span<const std::uint8_t> reset, const State<S>& state0, Tape<S>& tape, State<S>& state1) {
  tape = make_tape(s, 3, x, reset);
  for (std::int64_t t = 0; t < s.T; ++t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      take_state(s, tape, t, b, state0.h, tape.h, tape.h_before);
      const std::vector<S> Ux = products_of(p.U, p.norm_input, s.H, x.row(row));
      const std::vector<S> Wh = products_of(p.W, p.norm_hidden, s.H, tape.h_before.row(row));
      for (std::int64_t k = 0; k < 3 * s.H; ++k) {
        const auto i = static_cast<std::size_t>(k);
        const S from_input = Ux[i] + p.b_input[i];
        const S from_state = Wh[i] + p.b_hidden[i];
        if (k < 2 * s.H) {
          tape.gates(row, k) = sigmoid(from_input + from_state);
        } else {
          tape.candidate(row, k - 2 * s.H) = from_state;
          tape.gates(row, k) = tanh_of(from_input + tape.gates(row, k - 2 * s.H) * from_state);
        }
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
void gru_backward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Tape<S>& tape,
                  const Matrix<S>& dout, const State<S>& dstate1, const RecurrentParams<S>& dp, Matrix<S>& dx,
                  State<S>& dstate0) {
  dx = Matrix<S>(s.T * s.B, s.E);
  dstate0 = dstate1;
  for (std::int64_t t = s.T - 1; t >= 0; --t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      std::vector<S> da_input(static_cast<std::size_t>(3 * s.H));   // of U x + b
      std::vector<S> da_hidden(static_cast<std::size_t>(3 * s.H));  // of W h + b'
      std::vector<S> dh_before(static_cast<std::size_t>(s.H), S(0));
      for (std::int64_t j = 0; j < s.H; ++j) {
        const auto at_r = static_cast<std::size_t>(j);
        const auto at_z = static_cast<std::size_t>(s.H + j);
        const auto at_n = static_cast<std::size_t>(2 * s.H + j);
        const S r = tape.gates(row, j);
        const S z = tape.gates(row, s.H + j);
        const S n = tape.gates(row, 2 * s.H + j);
        const S dh = dout(row, j) + dstate0.h(b, j);
        const S dn = dh * (S(1) - z) * (S(1) - n * n);
        da_input[at_r] = da_hidden[at_r] = dn * tape.candidate(row, j) * r * (S(1) - r);
        da_input[at_z] = da_hidden[at_z] = dh * (tape.h_before(row, j) - n) * z * (S(1) - z);
        da_input[at_n] = dn;
        da_hidden[at_n] = dn * r;
        dh_before[at_r] = dh * z;
      }
      for (std::int64_t k = 0; k < 3 * s.H; ++k) {
        const auto i = static_cast<std::size_t>(k);
        dp.b_input[i] += da_input[i];
        dp.b_hidden[i] += da_hidden[i];
      }
      products_back(p.U, p.norm_input, s.H, tape.x.row(row), da_input, dp.U, dp.norm_input, dx.row(row));
      products_back(p.W, p.norm_hidden, s.H, tape.h_before.row(row), da_hidden, dp.W, dp.norm_hidden, dh_before.data());
      take_state_back(tape, row, b, dh_before, dstate0.h);
    }
  }
}

}  // namespace unroll::ref
