#include "network/recurrent_cells.h"

#include "nn/gru.h"
#include "nn/gru_reset_before.h"
#include "nn/lstm.h"
#include "nn/min_gru.h"
#include "nn/min_lstm.h"
#include "nn/rnn.h"

namespace unroll {

void recurrent_forward(Cell cell, Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                       RecurrentTape& tape) {
  switch (cell) {
    case Cell::kRnnTanh:
      return rnn_forward(workers, shape, Nonlinearity::kTanh, weights, tape);
    case Cell::kRnnRelu:
      return rnn_forward(workers, shape, Nonlinearity::kRelu, weights, tape);
    case Cell::kLstm:
      return lstm_forward(workers, shape, weights, tape);
    case Cell::kGru:
      return gru_forward(workers, shape, weights, tape);
    case Cell::kGruResetBefore:
      return gru_reset_before_forward(workers, shape, weights, tape);
    case Cell::kMinGru:
      return min_gru_forward(workers, shape, weights, tape);
    case Cell::kMinLstm:
      return min_lstm_forward(workers, shape, weights, tape);
  }
}

void recurrent_backward(Cell cell, Workers& workers, const RecurrentShape& shape, const RecurrentWeights& weights,
                        RecurrentTape& tape, MatView<const float> dout, const RecurrentParams<float>& dparams,
                        const RecurrentGradientState& dstate, MatView<float> dx) {
  switch (cell) {
    case Cell::kRnnTanh:
      return rnn_backward(workers, shape, Nonlinearity::kTanh, weights, tape, dout, dparams, dstate, dx);
    case Cell::kRnnRelu:
      return rnn_backward(workers, shape, Nonlinearity::kRelu, weights, tape, dout, dparams, dstate, dx);
    case Cell::kLstm:
      return lstm_backward(workers, shape, weights, tape, dout, dparams, dstate, dx);
    case Cell::kGru:
      return gru_backward(workers, shape, weights, tape, dout, dparams, dstate, dx);
    case Cell::kGruResetBefore:
      return gru_reset_before_backward(workers, shape, weights, tape, dout, dparams, dstate, dx);
    case Cell::kMinGru:
      return min_gru_backward(workers, shape, weights, tape, dout, dparams, dstate, dx);
    case Cell::kMinLstm:
      return min_lstm_backward(workers, shape, weights, tape, dout, dparams, dstate, dx);
  }
}

}  // namespace unroll
