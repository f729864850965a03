// The common parts of the reference cells: the state between windows, the tape, and the start of a step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "nn/recurrent.h"
#include "nn/ref/matrix.h"

namespace unroll::ref {

// The state between windows, (B, H) each; c stays empty except for LSTM. Also its gradient.
template <class S>
struct State {
  Matrix<S> h;
  Matrix<S> c;
};

// The results of a forward that its backward needs, and its output. Row t*B + b is step t of sequence b.
template <class S>
struct Tape {
  Matrix<S> x;                      // (T*B, E) the input
  std::vector<std::uint8_t> reset;  // (T*B) zero state before this step where 1; empty: nowhere
  Matrix<S> h_before;               // (T*B, H) the state before each step, zero where reset
  Matrix<S> c_before;               // (T*B, H) the same for c, LSTM
  Matrix<S> gates;                  // (T*B, G*H) after the nonlinearity (minGRU, minLSTM: before it)
  Matrix<S> candidate;              // (T*B, H) GRU: W_n h + b'_n; with reset before the product: r h
  Matrix<S> c;                      // (T*B, H) LSTM
  Matrix<S> h;                      // (T*B, H) the output
};

template <class S>
RecurrentParams<const S> read_only(const RecurrentParams<S>& params) {
  return {params.U,          params.W,           params.b_input,   params.b_hidden,
          params.norm_input, params.norm_hidden, params.norm_cell, params.b_cell};
}

// Allocates a window. `gates` is gate_count(cell).
template <class S>
Tape<S> make_tape(const RecurrentShape& s, int gates, const Matrix<S>& x, std::span<const std::uint8_t> reset) {
  const std::int64_t rows = s.T * s.B;
  Tape<S> tape;
  tape.x = x;
  tape.reset.assign(reset.begin(), reset.end());
  for (Matrix<S>* m : {&tape.h_before, &tape.c_before, &tape.candidate, &tape.c, &tape.h}) *m = Matrix<S>(rows, s.H);
  tape.gates = Matrix<S>(rows, gates * s.H);
  return tape;
}

// Whether step t of sequence b starts from zero.
template <class S>
bool starts_from_zero(const Tape<S>& tape, std::int64_t row) {
  return !tape.reset.empty() && tape.reset[static_cast<std::size_t>(row)] != 0;
}

// before(row) = state0 at the first step, else the state after the previous step; zero where the reset bit is set.
template <class S>
void take_state(const RecurrentShape& s, const Tape<S>& tape, std::int64_t t, std::int64_t b, const Matrix<S>& state0,
                const Matrix<S>& after, Matrix<S>& before) {
  const std::int64_t row = t * s.B + b;
  for (std::int64_t j = 0; j < s.H; ++j) {
    const S& carried = t == 0 ? state0(b, j) : after(row - s.B, j);
    before(row, j) = starts_from_zero(tape, row) ? S(0) : carried;
  }
}
// Its backward: sets dstate(b) to the gradient of the state after the previous step, zero through a reset.
template <class S>
void take_state_back(const Tape<S>& tape, std::int64_t row, std::int64_t b, const std::vector<S>& dbefore,
                     Matrix<S>& dstate) {
  for (std::int64_t j = 0; j < dstate.cols; ++j) {
    dstate(b, j) = starts_from_zero(tape, row) ? S(0) : dbefore[static_cast<std::size_t>(j)];
  }
}

// The state after a window: the last step's.
template <class S>
Matrix<S> last_step(const RecurrentShape& s, const Matrix<S>& all) {
  Matrix<S> last(s.B, s.H);
  std::copy(all.row((s.T - 1) * s.B), all.row(s.T * s.B), last.row(0));
  return last;
}

}  // namespace unroll::ref
