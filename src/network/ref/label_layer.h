// The output layer of tasks with labels or numbers, in plain loops. See network/label_layer.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "nn/ref/crf.h"
#include "nn/ref/dropout.h"
#include "nn/ref/pooling.h"
#include "nn/ref/task_losses.h"
#include "text/window.h"
#include "unroll/loss.h"
#include "unroll/network.h"

namespace unroll::ref {

template <class S>
struct LabelTape {
  Matrix<S> outputs;  // of the last level
  Matrix<S> inputs;   // of the output layer
  Matrix<S> scores;
};

template <class S>
struct LabelParams {
  std::span<S> attention;
  MatView<S> decoder;
  std::span<S> bias;
  CrfParams<S> crf;
};

inline PoolingShape pooled_shape(const NetworkConfig& config, const unroll::Window& window) {
  return {.readout = config.readout,
          .B = window.B,
          .D = level_outputs(config),
          .bidirectional = config.bidirectional,
          .pieces = window.pieces,
          .texts = window.texts};
}

// The weight of a row in the mean over a window's answers; 0 where it does not count.
inline double row_weight(const unroll::Window& window, std::size_t row) {
  if (window.targets[row] == kIgnored) return 0;
  return window.weights.empty() ? 1 : static_cast<double>(window.weights[row]);
}
inline double sum_of_weights(const unroll::Window& window) {
  double sum = 0;
  for (std::size_t r = 0; r < window.targets.size(); ++r) sum += row_weight(window, r);
  return sum;
}

template <class S>
std::span<const S> row_of(const Matrix<S>& m, std::int64_t r) {
  return {m.row(r), static_cast<std::size_t>(m.cols)};
}
template <class T>
std::span<const T> wanted_row(const std::vector<T>& wanted, std::size_t row, std::int64_t K) {
  return std::span(wanted).subspan(row * static_cast<std::size_t>(K), static_cast<std::size_t>(K));
}

// A window with the labels of the loss softmax smoothed.
struct LabelWindow {
  const unroll::Window& window;
  double smoothing = 0;
};

// The loss of one row, and its gradient.
template <class S>
S row_loss(const NetworkConfig& config, const LabelWindow& labels, const Matrix<S>& y, std::size_t row) {
  const unroll::Window& window = labels.window;
  const std::span<const S> scores = row_of(y, static_cast<std::int64_t>(row));
  const auto label = static_cast<std::size_t>(window.targets[row]);
  if (config.loss == Loss::kSigmoid) return sigmoid_row_loss(scores, wanted_row(window.wanted_labels, row, y.cols));
  if (config.loss == Loss::kSquared) return squared_row_loss(scores, wanted_row(window.wanted_numbers, row, y.cols));
  return softmax_row_loss(scores, smoothed_label(scores.size(), label, labels.smoothing));
}
template <class S>
std::vector<S> row_backward(const NetworkConfig& config, const LabelWindow& labels, const Matrix<S>& y,
                            std::size_t row) {
  const unroll::Window& window = labels.window;
  const std::span<const S> scores = row_of(y, static_cast<std::int64_t>(row));
  const auto label = static_cast<std::size_t>(window.targets[row]);
  if (config.loss == Loss::kSigmoid) return sigmoid_row_backward(scores, wanted_row(window.wanted_labels, row, y.cols));
  if (config.loss == Loss::kSquared) {
    return squared_row_backward(scores, wanted_row(window.wanted_numbers, row, y.cols));
  }
  return softmax_row_backward(scores, smoothed_label(scores.size(), label, labels.smoothing));
}

// The scores (n, K) and labels of one text, in the order of its steps.
template <class S>
struct Chain {
  Chain(const NetworkConfig& config, const unroll::Window& window, const Matrix<S>& y, std::size_t text)
      : rows(rows_of_text(pooled_shape(config, window), text)), scores(static_cast<std::int64_t>(rows.size()), y.cols) {
    for (std::size_t t = 0; t < rows.size(); ++t) {
      std::copy_n(y.row(rows[t]), y.cols, scores.row(static_cast<std::int64_t>(t)));
      labels.push_back(window.targets[static_cast<std::size_t>(rows[t])]);
    }
    weight = row_weight(window, static_cast<std::size_t>(rows.front()));
  }

  std::vector<std::int64_t> rows;
  Matrix<S> scores;
  std::vector<std::int32_t> labels;
  double weight = 0;
};

// The mean loss of the window's answers.
template <class S>
S label_forward(const NetworkConfig& config, const LabelParams<const S>& p, const LabelWindow& labels,
                const Matrix<S>& mask, const Matrix<S>& outputs, LabelTape<S>& tape) {
  const unroll::Window& window = labels.window;
  tape.outputs = outputs;
  tape.inputs = outputs;
  if (config.readout != Readout::kSteps) {
    pooling_forward(pooled_shape(config, window), p.attention, outputs, tape.inputs);
    if (mask.rows > 0) dropout_forward(mask, Matrix<S>(tape.inputs), tape.inputs);
  }
  tape.scores = Matrix<S>(tape.inputs.rows, config.outputs);
  for (std::int64_t r = 0; r < tape.scores.rows; ++r) {
    for (std::int64_t k = 0; k < config.outputs; ++k) {
      S sum = p.bias[static_cast<std::size_t>(k)];
      for (std::int64_t j = 0; j < tape.inputs.cols; ++j) sum += p.decoder(k, j) * tape.inputs(r, j);
      tape.scores(r, k) = sum;
    }
  }
  S sum(0);
  if (config.loss == Loss::kCrf) {
    for (std::size_t r = 0; r < window.texts.size(); ++r) {
      const Chain<S> chain(config, window, tape.scores, r);
      sum += S(chain.weight) * (crf_log_sum(p.crf, chain.scores) -
                                crf_score(p.crf, chain.scores, std::span<const std::int32_t>(chain.labels)));
    }
  } else {
    for (std::size_t r = 0; r < window.targets.size(); ++r) {
      if (row_weight(window, r) > 0) sum += S(row_weight(window, r)) * row_loss(config, labels, tape.scores, r);
    }
  }
  return sum / S(sum_of_weights(window));
}

template <class S>
Matrix<S> scores_backward(const NetworkConfig& config, const LabelParams<const S>& p, const LabelWindow& labels,
                          const LabelTape<S>& tape, const LabelParams<S>& dp) {
  const unroll::Window& window = labels.window;
  Matrix<S> dscores(tape.scores.rows, tape.scores.cols);
  const double mean = 1 / sum_of_weights(window);
  if (config.loss == Loss::kCrf) {
    for (std::size_t r = 0; r < window.texts.size(); ++r) {
      const Chain<S> chain(config, window, tape.scores, r);
      Matrix<S> dchain;
      crf_backward(p.crf, chain.scores, std::span<const std::int32_t>(chain.labels), S(chain.weight * mean), dp.crf,
                   dchain);
      for (std::size_t t = 0; t < chain.rows.size(); ++t) {
        std::copy_n(dchain.row(static_cast<std::int64_t>(t)), dchain.cols, dscores.row(chain.rows[t]));
      }
    }
    return dscores;
  }
  for (std::size_t r = 0; r < window.targets.size(); ++r) {
    if (row_weight(window, r) == 0) continue;
    const std::vector<S> d = row_backward(config, labels, tape.scores, r);
    for (std::size_t k = 0; k < d.size(); ++k) {
      dscores(static_cast<std::int64_t>(r), static_cast<std::int64_t>(k)) = S(row_weight(window, r) * mean) * d[k];
    }
  }
  return dscores;
}

// Adds to dp; sets doutputs.
template <class S>
void label_backward(const NetworkConfig& config, const LabelParams<const S>& p, const LabelWindow& labels,
                    const Matrix<S>& mask, const LabelTape<S>& tape, const LabelParams<S>& dp, Matrix<S>& doutputs) {
  const Matrix<S> dscores = scores_backward(config, p, labels, tape, dp);
  Matrix<S> dinputs(tape.inputs.rows, tape.inputs.cols);
  for (std::int64_t r = 0; r < dscores.rows; ++r) {
    for (std::int64_t k = 0; k < dscores.cols; ++k) {
      dp.bias[static_cast<std::size_t>(k)] += dscores(r, k);
      for (std::int64_t j = 0; j < dinputs.cols; ++j) {
        dp.decoder(k, j) += dscores(r, k) * tape.inputs(r, j);
        dinputs(r, j) += dscores(r, k) * p.decoder(k, j);
      }
    }
  }
  doutputs = dinputs;
  if (config.readout == Readout::kSteps) return;
  if (mask.rows > 0) dropout_backward(mask, Matrix<S>(dinputs), dinputs);
  pooling_backward(pooled_shape(config, labels.window), p.attention, tape.outputs, dinputs, dp.attention, doutputs);
}

}  // namespace unroll::ref
