// Any cell's sweeps over a window, in plain loops.
#pragma once

#include <span>

#include "nn/ref/gru.h"
#include "nn/ref/gru_reset_before.h"
#include "nn/ref/lstm.h"
#include "nn/ref/min_gru.h"
#include "nn/ref/min_lstm.h"
#include "nn/ref/rnn.h"
#include "unroll/cell.h"

namespace unroll::ref {

// Any cell's forward: see its own header.
template <class S>
void recurrent_forward(Cell cell, const RecurrentShape& s, const RecurrentParams<const S>& p, const Matrix<S>& x,
                       std::span<const std::uint8_t> reset, const State<S>& state0, Tape<S>& tape, State<S>& state1) {
  switch (cell) {
    case Cell::kRnnTanh:
      return rnn_forward(s, Nonlinearity::kTanh, p, x, reset, state0, tape, state1);
    case Cell::kRnnRelu:
      return rnn_forward(s, Nonlinearity::kRelu, p, x, reset, state0, tape, state1);
    case Cell::kLstm:
      return lstm_forward(s, p, x, reset, state0, tape, state1);
    case Cell::kGru:
      return gru_forward(s, p, x, reset, state0, tape, state1);
    case Cell::kGruResetBefore:
      return gru_reset_before_forward(s, p, x, reset, state0, tape, state1);
    case Cell::kMinGru:
      return min_gru_forward(s, p, x, reset, state0, tape, state1);
    case Cell::kMinLstm:
      return min_lstm_forward(s, p, x, reset, state0, tape, state1);
  }
}

// Any cell's backward: see its own header.
template <class S>
void recurrent_backward(Cell cell, const RecurrentShape& s, const RecurrentParams<const S>& p, const Tape<S>& tape,
                        const Matrix<S>& dout, const State<S>& dstate1, const RecurrentParams<S>& dp, Matrix<S>& dx,
                        State<S>& dstate0) {
  switch (cell) {
    case Cell::kRnnTanh:
      return rnn_backward(s, Nonlinearity::kTanh, p, tape, dout, dstate1, dp, dx, dstate0);
    case Cell::kRnnRelu:
      return rnn_backward(s, Nonlinearity::kRelu, p, tape, dout, dstate1, dp, dx, dstate0);
    case Cell::kLstm:
      return lstm_backward(s, p, tape, dout, dstate1, dp, dx, dstate0);
    case Cell::kGru:
      return gru_backward(s, p, tape, dout, dstate1, dp, dx, dstate0);
    case Cell::kGruResetBefore:
      return gru_reset_before_backward(s, p, tape, dout, dstate1, dp, dx, dstate0);
    case Cell::kMinGru:
      return min_gru_backward(s, p, tape, dout, dstate1, dp, dx, dstate0);
    case Cell::kMinLstm:
      return min_lstm_backward(s, p, tape, dout, dstate1, dp, dx, dstate0);
  }
}

}  // namespace unroll::ref
