// Gated recurrent unit with the reset gate before the recurrent product, in plain loops: the definition against which
// nn/gru_reset_before.h is tested.
#pragma once

#include "nn/ref/layer_norm.h"
#include "nn/ref/recurrent.h"

namespace unroll::ref {

// The gains of some gates; empty if there are none.
template <class T>
std::span<T> gains_of(std::span<T> all, std::int64_t first, std::int64_t count) {
  return all.empty() ? all : all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

// r,z = sigmoid(U x_t + b + W h_{t-1} + b'), n = tanh(U_n x_t + b_n + W_n (r h_{t-1}) + b'_n),
// h_t = (1 - z) n + z h_{t-1}. Gate order r,z,n. All products are normalised where p has gains. Sets tape and state1.
template <class S>
void gru_reset_before_forward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Matrix<S>& x,
                              std::span<const std::uint8_t> reset, const State<S>& state0, Tape<S>& tape,
                              State<S>& state1) {
  tape = make_tape(s, 3, x, reset);
  for (std::int64_t t = 0; t < s.T; ++t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      take_state(s, tape, t, b, state0.h, tape.h, tape.h_before);
      const std::int64_t H = s.H;
      const std::vector<S> Ux = products_of(p.U, p.norm_input, H, x.row(row));
      const std::vector<S> Wh =
          products_of(p.W.row_range(0, 2 * H), gains_of(p.norm_hidden, 0, 2 * H), H, tape.h_before.row(row));
      for (std::int64_t k = 0; k < 2 * H; ++k) {
        const auto i = static_cast<std::size_t>(k);
        tape.gates(row, k) = sigmoid(Ux[i] + p.b_input[i] + Wh[i] + p.b_hidden[i]);
        if (k < H) tape.candidate(row, k) = tape.gates(row, k) * tape.h_before(row, k);
      }
      const std::vector<S> Wrh =
          products_of(p.W.row_range(2 * H, H), gains_of(p.norm_hidden, 2 * H, H), H, tape.candidate.row(row));
      for (std::int64_t j = 0; j < H; ++j) {
        const auto i = static_cast<std::size_t>(2 * H + j);
        tape.gates(row, 2 * H + j) = tanh_of(Ux[i] + p.b_input[i] + Wrh[static_cast<std::size_t>(j)] + p.b_hidden[i]);
      }
      for (std::int64_t j = 0; j < H; ++j) {
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
      std::vector<S> drz(static_cast<std::size_t>(2 * s.H));
      std::vector<S> dn(static_cast<std::size_t>(s.H));
      std::vector<S> dh_before(static_cast<std::size_t>(s.H), S(0));
      std::vector<S> dreset_h(static_cast<std::size_t>(s.H), S(0));  // of r h_{t-1}
      for (std::int64_t j = 0; j < s.H; ++j) {
        const S z = tape.gates(row, s.H + j);
        const S n = tape.gates(row, 2 * s.H + j);
        const S dh = dout(row, j) + dstate0.h(b, j);
        dn[static_cast<std::size_t>(j)] = dh * (S(1) - z) * (S(1) - n * n);
        drz[static_cast<std::size_t>(s.H + j)] = dh * (tape.h_before(row, j) - n) * z * (S(1) - z);
        dh_before[static_cast<std::size_t>(j)] = dh * z;
      }
      // The candidate's product first: the gradient of r depends on it.
      const std::int64_t H = s.H;
      products_back(p.W.row_range(2 * H, H), gains_of(p.norm_hidden, 2 * H, H), H, tape.candidate.row(row), dn,
                    dp.W.row_range(2 * H, H), gains_of(dp.norm_hidden, 2 * H, H), dreset_h.data());
      for (std::int64_t j = 0; j < H; ++j) {
        const auto i = static_cast<std::size_t>(j);
        const S r = tape.gates(row, j);
        drz[i] = dreset_h[i] * tape.h_before(row, j) * r * (S(1) - r);
        dh_before[i] += dreset_h[i] * r;
      }
      products_back(p.W.row_range(0, 2 * H), gains_of(p.norm_hidden, 0, 2 * H), H, tape.h_before.row(row), drz,
                    dp.W.row_range(0, 2 * H), gains_of(dp.norm_hidden, 0, 2 * H), dh_before.data());
      std::vector<S> da = drz;
      da.insert(da.end(), dn.begin(), dn.end());
      products_back(p.U, p.norm_input, H, tape.x.row(row), da, dp.U, dp.norm_input, dx.row(row));
      for (std::size_t k = 0; k < da.size(); ++k) {
        dp.b_input[k] += da[k];
        dp.b_hidden[k] += da[k];
      }
      take_state_back(tape, row, b, dh_before, dstate0.h);
    }
  }
}

}  // namespace unroll::ref
