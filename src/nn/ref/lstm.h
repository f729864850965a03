// Long short-term memory in plain loops: the definition against which nn/lstm.h is tested.
#pragma once

#include "nn/ref/layer_norm.h"
#include "nn/ref/recurrent.h"

namespace unroll::ref {

// tanh of the cell state as h reads it: c itself, or with gains norm_cell LN(c) + b_cell.
template <class S>
std::vector<S> tanh_of_cell(const RecurrentParams<const S>& p, const S* c, std::int64_t H) {
  std::vector<S> y(c, c + H);
  if (!p.norm_cell.empty()) layer_norm_forward(y.size(), y, p.norm_cell, y);
  for (std::size_t j = 0; j < y.size(); ++j) y[j] = tanh_of(p.b_cell.empty() ? y[j] : y[j] + p.b_cell[j]);
  return y;
}

// Its backward: dy is the gradient of the argument of that tanh. Adds to dparams; returns the gradient of c.
template <class S>
std::vector<S> cell_back(const RecurrentParams<const S>& p, const S* c, std::vector<S> dy,
                         const RecurrentParams<S>& dp) {
  for (std::size_t j = 0; j < dp.b_cell.size(); ++j) dp.b_cell[j] += dy[j];
  const std::vector<S> z(c, c + dy.size());
  if (!p.norm_cell.empty()) layer_norm_backward(z.size(), z, p.norm_cell, dy, dp.norm_cell, dy);
  return dy;
}

// i,f,o = sigmoid(U x_t + b + W h_{t-1} + b'), g = tanh(the same); c_t = f c_{t-1} + i g; h_t = o tanh(c_t).
// Gate order i,f,g,o. Where p has gains both products are normalised, and h_t = o tanh(LN(c_t)). Sets tape and state1.
template <class S>
void lstm_forward(const RecurrentShape& s, const RecurrentParams<const S>& p, const Matrix<S>& x,
                  std::span<const std::uint8_t> reset, const State<S>& state0, Tape<S>& tape, State<S>& state1) {
  tape = make_tape(s, 4, x, reset);
  for (std::int64_t t = 0; t < s.T; ++t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      take_state(s, tape, t, b, state0.h, tape.h, tape.h_before);
      take_state(s, tape, t, b, state0.c, tape.c, tape.c_before);
      const std::vector<S> Ux = products_of(p.U, p.norm_input, s.H, x.row(row));
      const std::vector<S> Wh = products_of(p.W, p.norm_hidden, s.H, tape.h_before.row(row));
      for (std::int64_t k = 0; k < 4 * s.H; ++k) {
        const auto i = static_cast<std::size_t>(k);
        const S a = Ux[i] + p.b_input[i] + Wh[i] + p.b_hidden[i];
        tape.gates(row, k) = k / s.H == 2 ? tanh_of(a) : sigmoid(a);
      }
      for (std::int64_t j = 0; j < s.H; ++j) {
        const S i = tape.gates(row, j);
        const S f = tape.gates(row, s.H + j);
        const S g = tape.gates(row, 2 * s.H + j);
        tape.c(row, j) = f * tape.c_before(row, j) + i * g;
      }
      const std::vector<S> tanh_c = tanh_of_cell(p, tape.c.row(row), s.H);
      for (std::int64_t j = 0; j < s.H; ++j) {
        tape.h(row, j) = tape.gates(row, 3 * s.H + j) * tanh_c[static_cast<std::size_t>(j)];
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
      const std::vector<S> tanh_c = tanh_of_cell(p, tape.c.row(row), s.H);
      std::vector<S> dtanh_argument;
      for (std::int64_t j = 0; j < s.H; ++j) {
        const auto at = static_cast<std::size_t>(j);
        const S o = tape.gates(row, 3 * s.H + j);
        const S dh = dout(row, j) + dstate0.h(b, j);
        da[static_cast<std::size_t>(3 * s.H + j)] = dh * tanh_c[at] * o * (S(1) - o);
        dtanh_argument.push_back(dh * o * (S(1) - tanh_c[at] * tanh_c[at]));
      }
      const std::vector<S> dc_through_h = cell_back(p, tape.c.row(row), dtanh_argument, dp);
      for (std::int64_t j = 0; j < s.H; ++j) {
        const S i = tape.gates(row, j);
        const S f = tape.gates(row, s.H + j);
        const S g = tape.gates(row, 2 * s.H + j);
        const S dc = dstate0.c(b, j) + dc_through_h[static_cast<std::size_t>(j)];
        da[static_cast<std::size_t>(j)] = dc * g * i * (S(1) - i);
        da[static_cast<std::size_t>(s.H + j)] = dc * tape.c_before(row, j) * f * (S(1) - f);
        da[static_cast<std::size_t>(2 * s.H + j)] = dc * i * (S(1) - g * g);
        dc_before[static_cast<std::size_t>(j)] = dc * f;
      }
      for (std::int64_t k = 0; k < 4 * s.H; ++k) {
        const auto i = static_cast<std::size_t>(k);
        dp.b_input[i] += da[i];
        dp.b_hidden[i] += da[i];
      }
      products_back(p.U, p.norm_input, s.H, tape.x.row(row), da, dp.U, dp.norm_input, dx.row(row));
      products_back(p.W, p.norm_hidden, s.H, tape.h_before.row(row), da, dp.W, dp.norm_hidden, dh_before.data());
      take_state_back(tape, row, b, dh_before, dstate0.h);
      take_state_back(tape, row, b, dc_before, dstate0.c);
    }
  }
}

}  // namespace unroll::ref
