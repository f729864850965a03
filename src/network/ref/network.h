// A whole recurrent language model in plain loops: embedding, recurrent layers, softmax cross entropy at every step.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "network/network_tensors.h"
#include "network/parameters.h"
#include "nn/ref/activation_penalty.h"
#include "nn/ref/adaptive_softmax.h"
#include "nn/ref/dropout.h"
#include "nn/ref/embedding.h"
#include "nn/ref/gru.h"
#include "nn/ref/gru_reset_before.h"
#include "nn/ref/lstm.h"
#include "nn/ref/min_gru.h"
#include "nn/ref/min_lstm.h"
#include "nn/ref/projection.h"
#include "nn/ref/rnn.h"
#include "nn/ref/softmax_loss.h"
#include "unroll/network.h"

namespace unroll::ref {

// Views of a network's parameters. Tied: decoder is encoder.
template <class T>
struct NetworkParams {
  MatView<T> encoder;                            // (V, E)
  MatView<T> chars_encoder;                      // (C, character_hidden)
  std::vector<RecurrentParams<T>> chars_layers;  // 2
  std::vector<RecurrentParams<T>> layers;        // one per layer and direction
  std::vector<ConditionParams<T>> conditions;    // one per level
  MatView<T> projection;                         // (E, H); empty if there is none
  std::span<T> attention;                        // (D)
  MatView<T> decoder;                            // (V, H); with cutoffs the head (head_size, H)
  std::span<T> decoder_bias;                     // (V); with cutoffs (head_size)
  std::vector<TailParams<T>> tails;              // one per cutoff
  CrfTables<T> crf;
};

// Cuts one block of numbers into a network's parameters, in the order of network/network_tensors.h. `block` holds
// parameter_count(config).
template <class T>
NetworkParams<T> network_params(const NetworkConfig& config, T* block) {
  NetworkParams<T> params;
  resize_lists(config, params);
  for_each_tensor(
      config,
      [&block](const std::string& /*name*/, std::int64_t rows, std::int64_t cols, MatView<T>& matrix) {
        matrix = {std::exchange(block, block + rows * cols), rows, cols};
      },
      [&block](const std::string& /*name*/, std::int64_t size, std::span<T>& vector) {
        vector = {std::exchange(block, block + size), static_cast<std::size_t>(size)};
      },
      params);
  if (config.tied) params.decoder = params.encoder;
  return params;
}

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

// The input of a network for one window. Row t*B + b is step t of sequence b.
template <class S>
struct Window {
  std::int64_t T = 0;
  std::int64_t B = 0;
  std::span<const std::int32_t> inputs;   // (T*B) ids
  std::span<const std::int32_t> targets;  // (T*B) ids, -1: no prediction here
  std::span<const std::uint8_t> reset;    // (T*B) zero state before this step where 1; empty: nowhere
  std::vector<Matrix<S>> masks;           // dropout: of the embedding's output and of each layer's; empty: none
  std::vector<Matrix<S>> weight_masks;    // weight-drop: of each layer's W; empty: none
  double ar = 0;                          // activation penalties
  double tar = 0;
};

template <class S>
struct NetworkTape {
  std::vector<Tape<S>> layers;
  std::vector<Matrix<S>> dropped_W;  // of each layer, after weight-drop; empty: none
  Matrix<S> output;                  // of the last layer, after dropout
  SoftmaxTape<S> head;               // with cutoffs its h alone
};

// The output layer and its loss: see the headers of the two kinds.
template <class S>
S output_forward(const NetworkConfig& config, const NetworkParams<const S>& p, const Matrix<S>& h,
                 std::span<const std::int32_t> targets, SoftmaxTape<S>& tape) {
  if (config.cutoffs.empty()) return softmax_loss_forward(p.decoder, p.decoder_bias, h, targets, tape);
  tape.h = h;
  return adaptive_softmax_forward({p.decoder, p.decoder_bias, p.tails}, h, targets);
}
template <class S>
void output_backward(const NetworkConfig& config, const NetworkParams<const S>& p, const SoftmaxTape<S>& tape,
                     std::span<const std::int32_t> targets, const NetworkParams<S>& dp, Matrix<S>& dh) {
  if (config.cutoffs.empty()) {
    return softmax_loss_backward(p.decoder, tape, targets, dp.decoder, dp.decoder_bias, dh);
  }
  adaptive_softmax_backward({p.decoder, p.decoder_bias, p.tails}, tape.h, targets,
                            {dp.decoder, dp.decoder_bias, dp.tails}, dh);
}

// One layer's state of zeros.
template <class S>
State<S> zero_state(Cell cell, std::int64_t rows, std::int64_t units) {
  return {Matrix<S>(rows, units), has_cell_state(cell) ? Matrix<S>(rows, units) : Matrix<S>()};
}

// y += x.
template <class S>
void add(const Matrix<S>& x, Matrix<S>& y) {
  for (std::size_t i = 0; i < y.values.size(); ++i) y.values[i] += x.values[i];
}

// Sets tape.dropped_W if there are weight masks.
template <class S>
void drop_weights(const NetworkParams<const S>& p, const Window<S>& window, NetworkTape<S>& tape) {
  tape.dropped_W.clear();
  for (std::size_t l = 0; l < window.weight_masks.size(); ++l) {
    const MatView<const S>& W = p.layers[l].W;
    Matrix<S> values(W.rows, W.cols);
    std::copy_n(W.data, values.values.size(), values.values.begin());
    dropout_forward(window.weight_masks[l], values, tape.dropped_W.emplace_back());
  }
}

// A layer's parameters as used by the forward pass.
template <class S>
RecurrentParams<const S> used_params(const NetworkParams<const S>& p, const NetworkTape<S>& tape, std::size_t l) {
  RecurrentParams<const S> layer = p.layers[l];
  if (!tape.dropped_W.empty()) layer.W = {tape.dropped_W[l].values.data(), layer.W.rows, layer.W.cols};
  return layer;
}

// The window's loss, averaged over its predictions, and penalties. state0 and state1 hold one state per layer. Sets
// tape and state1.
template <class S>
S network_forward(const NetworkConfig& config, const NetworkParams<const S>& p, const Window<S>& window,
                  const std::vector<State<S>>& state0, NetworkTape<S>& tape, std::vector<State<S>>& state1) {
  Matrix<S> x;
  embedding_forward(p.encoder, window.inputs, x);
  if (!window.masks.empty()) dropout_forward(window.masks.front(), Matrix<S>(x), x);
  drop_weights(p, window, tape);
  tape.layers.resize(p.layers.size());
  state1.resize(p.layers.size());
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    const RecurrentShape shape{window.T, window.B, x.cols, config.hidden};
    recurrent_forward(config.cell, shape, used_params(p, tape, l), x, window.reset, state0[l], tape.layers[l],
                      state1[l]);
    Matrix<S> y = tape.layers[l].h;
    if (!window.masks.empty()) dropout_forward(window.masks[l + 1], Matrix<S>(y), y);
    if (config.residual && l > 0) add(x, y);
    x = y;
  }
  tape.output = x;
  const S penalty = activation_penalty_forward(window.ar, tape.output) +
                    temporal_penalty_forward(window.tar, window.B, window.reset, tape.layers.back().h);
  if (has_projection(config)) projection_forward(p.projection, tape.output, x);
  return output_forward(config, p, x, window.targets, tape.head) + penalty;
}

// Adds to dp; sets dstate0. dstate1 is the gradient with respect to state1, zero if nothing follows.
template <class S>
void network_backward(const NetworkConfig& config, const NetworkParams<const S>& p, const Window<S>& window,
                      const NetworkTape<S>& tape, const std::vector<State<S>>& dstate1, const NetworkParams<S>& dp,
                      std::vector<State<S>>& dstate0) {
  Matrix<S> dx;
  output_backward(config, p, tape.head, window.targets, dp, dx);
  if (has_projection(config)) projection_backward(p.projection, tape.output, Matrix<S>(dx), dp.projection, dx);
  activation_penalty_backward(window.ar, tape.output, dx);
  dstate0.resize(p.layers.size());
  for (std::size_t l = p.layers.size(); l-- > 0;) {
    const Matrix<S> dy = dx;
    Matrix<S> dout = dy;
    if (!window.masks.empty()) dropout_backward(window.masks[l + 1], dy, dout);
    if (l + 1 == p.layers.size()) {
      temporal_penalty_backward(window.tar, window.B, window.reset, tape.layers[l].h, dout);
    }
    const RecurrentShape shape{window.T, window.B, tape.layers[l].x.cols, config.hidden};
    recurrent_backward(config.cell, shape, used_params(p, tape, l), tape.layers[l], dout, dstate1[l], dp.layers[l], dx,
                       dstate0[l]);
    if (!window.weight_masks.empty()) {
      for (std::int64_t i = 0; i < dp.layers[l].W.size(); ++i) {
        dp.layers[l].W.data[i] *= window.weight_masks[l].values[static_cast<std::size_t>(i)];
      }
    }
    if (config.residual && l > 0) add(dy, dx);
  }
  if (!window.masks.empty()) dropout_backward(window.masks.front(), Matrix<S>(dx), dx);
  embedding_backward(window.inputs, dx, dp.encoder);
}

}  // namespace unroll::ref
