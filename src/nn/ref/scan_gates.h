// The common parts of minGRU and minLSTM in plain loops: the candidate's nonlinearity, and a layer without recurrent
// weights.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "nn/ref/recurrent.h"

namespace unroll::ref {

// One step of one unit: h = keep * h_before + add.
template <class S>
struct ScanStep {
  S keep;
  S add;
};

// g(a) = a + 1/2 for a >= 0, else sigmoid(a): above zero everywhere. At 0 the slope is that of the right side.
template <class S>
S positive(const S& a) {
  return real_part(a) >= 0 ? a + S(0.5) : sigmoid(a);
}
template <class S>
S positive_slope(const S& a) {
  return real_part(a) >= 0 ? S(1) : sigmoid(a) * (S(1) - sigmoid(a));
}

// ln(1 + e^a), by the exponential that cannot overflow.
template <class S>
S softplus(const S& a) {
  using std::exp;
  using std::log;
  return real_part(a) > 0 ? a + log(S(1) + exp(-a)) : log(S(1) + exp(a));
}

// The gates of unit j in a row: a_k is at k*H + j.
template <class S>
struct UnitGates {
  S* first;
  std::int64_t H;
  S& operator[](std::int64_t k) const { return first[k * H]; }
};

// gates = U x + b for all steps; h_t = keep h_{t-1} + add with (keep, add) = step(gates of the unit). Sets tape (gates
// before the nonlinearity) and state1.
template <class S, class Step>
void scan_forward(const RecurrentShape& s, int gates, const RecurrentParams<const S>& p, const Matrix<S>& x,
                  std::span<const std::uint8_t> reset, const State<S>& state0, const Step& step, Tape<S>& tape,
                  State<S>& state1) {
  tape = make_tape(s, gates, x, reset);
  for (std::int64_t t = 0; t < s.T; ++t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      take_state(s, tape, t, b, state0.h, tape.h, tape.h_before);
      for (std::int64_t k = 0; k < gates * s.H; ++k) {
        tape.gates(row, k) = row_product(p.U, k, x.row(row)) + p.b_input[static_cast<std::size_t>(k)];
      }
      for (std::int64_t j = 0; j < s.H; ++j) {
        const ScanStep<S> now = step(UnitGates<const S>{tape.gates.row(row) + j, s.H});
        tape.h(row, j) = now.keep * tape.h_before(row, j) + now.add;
      }
    }
  }
  state1 = {last_step(s, tape.h), {}};
}

// step_back(gates, h_before, dh, dgates) sets the gradients of a unit's gates and returns that of h_before. Adds to
// dparams; sets dx and dstate0.
template <class S, class StepBack>
void scan_backward(const RecurrentShape& s, int gates, const RecurrentParams<const S>& p, const Tape<S>& tape,
                   const Matrix<S>& dout, const State<S>& dstate1, const StepBack& step_back,
                   const RecurrentParams<S>& dp, Matrix<S>& dx, State<S>& dstate0) {
  dx = Matrix<S>(s.T * s.B, s.E);
  dstate0 = dstate1;
  for (std::int64_t t = s.T - 1; t >= 0; --t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const std::int64_t row = t * s.B + b;
      std::vector<S> dgates(static_cast<std::size_t>(gates * s.H));
      std::vector<S> dh_before(static_cast<std::size_t>(s.H));
      for (std::int64_t j = 0; j < s.H; ++j) {
        dh_before[static_cast<std::size_t>(j)] =
            step_back(UnitGates<const S>{tape.gates.row(row) + j, s.H}, tape.h_before(row, j),
                      dout(row, j) + dstate0.h(b, j), UnitGates<S>{dgates.data() + j, s.H});
      }
      for (std::int64_t k = 0; k < gates * s.H; ++k) {
        const auto i = static_cast<std::size_t>(k);
        row_product_back(p.U, k, tape.x.row(row), dgates[i], dp.U, dx.row(row));
        dp.b_input[i] += dgates[i];
      }
      take_state_back(tape, row, b, dh_before, dstate0.h);
    }
  }
}

}  // namespace unroll::ref
