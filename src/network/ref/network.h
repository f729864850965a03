// A whole recurrent language model in plain loops: embedding, recurrent layers, softmax cross entropy at every step.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "network/language_layer.h"
#include "network/network_tensors.h"
#include "network/parameters.h"
#include "network/ref/label_layer.h"
#include "network/ref/levels.h"
#include "nn/ref/activation_penalty.h"
#include "nn/ref/adaptive_softmax.h"
#include "nn/ref/dropout.h"
#include "nn/ref/embedding.h"
#include "nn/ref/pooling.h"
#include "nn/ref/projection.h"
#include "nn/ref/softmax_loss.h"
#include "text/window.h"
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
  std::span<T> language_bias;  // (V)
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

// The input of a network for one window. Row t*B + b is step t of sequence b.
template <class S>
struct Window {
  std::int64_t T = 0;
  std::int64_t B = 0;
  std::span<const std::int32_t> inputs;   // (T*B) ids
  std::span<const std::int32_t> targets;  // (T*B) ids, -1: no prediction here
  std::span<const std::uint8_t> reset;    // (T*B) zero state before this step where 1; empty: nowhere
  std::vector<Matrix<S>> masks;         // dropout: of the embedding's output and of each level's (of the last one, with
                                        // a vector per text, of that); empty: none
  std::vector<Matrix<S>> weight_masks;  // weight-drop: of each layer's W; empty: none
  double ar = 0;                        // activation penalties
  double tar = 0;
  double label_smoothing = 0;
  double language = 0;                   // weight of the loss of a language model next to a task
  const unroll::Window* task = nullptr;  // the window of a task or of a model with conditions, with all of its parts
};

template <class S>
struct NetworkTape {
  LevelsTape<S> characters;
  Matrix<S> character_outputs;
  LevelsTape<S> levels;
  Matrix<S> output;     // of the last level, after dropout
  SoftmaxTape<S> head;  // with cutoffs its h alone
  LabelTape<S> labels;
  SoftmaxTape<S> language;
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

template <class S>
LevelsShape levels_shape(const NetworkConfig& config, const Window<S>& window) {
  return {.cell = config.cell,
          .T = window.T,
          .B = window.B,
          .H = config.hidden,
          .levels = config.layers,
          .bidirectional = config.bidirectional,
          .residual = config.residual,
          .reset = window.reset};
}

// The masks of the levels; with a vector per text, the last level's outputs have none.
template <class S>
LevelsMasks<S> levels_masks(const NetworkConfig& config, const Window<S>& window) {
  LevelsMasks<S> masks{.outputs = {}, .weights = window.weight_masks};
  if (window.masks.empty()) return masks;
  masks.outputs.assign(window.masks.begin() + 1, window.masks.end());
  if (config.readout == Readout::kSteps) return masks;
  masks.outputs.back() = Matrix<S>(window.T * window.B, level_outputs(config));
  std::ranges::fill(masks.outputs.back().values, S(1));
  return masks;
}

template <class S>
Matrix<S> readout_mask(const NetworkConfig& config, const Window<S>& window) {
  return window.masks.empty() || config.readout == Readout::kSteps ? Matrix<S>() : window.masks.back();
}

template <class S>
LabelParams<S> label_params(const NetworkConfig& config, const NetworkParams<S>& p) {
  const std::int64_t K = config.outputs;
  return {p.attention,
          p.decoder,
          p.decoder_bias,
          {.transitions = {p.crf.transitions.data(), K, K}, .start = p.crf.start, .end = p.crf.end}};
}

inline LevelsShape character_levels(const NetworkConfig& config, const CharacterWindow& window) {
  return {.cell = config.cell,
          .T = window.T,
          .B = window.B,
          .H = config.character_hidden,
          .levels = 1,
          .bidirectional = true,
          .residual = false,
          .reset = window.reset};
}
inline PoolingShape character_pooling(const NetworkConfig& config, const CharacterWindow& window) {
  return {.readout = Readout::kLast,
          .B = window.B,
          .D = 2 * config.character_hidden,
          .bidirectional = true,
          .pieces = window.pieces,
          .texts = window.texts};
}
template <class S>
std::vector<State<S>> zero_states(Cell cell, std::size_t layers, std::int64_t rows, std::int64_t units) {
  return std::vector<State<S>>(layers, zero_state<S>(cell, rows, units));
}

// The vectors of the words of a window, from their characters.
template <class S>
Matrix<S> words_forward(const NetworkConfig& config, const NetworkParams<const S>& p, const CharacterWindow& window,
                        NetworkTape<S>& tape) {
  Matrix<S> x;
  embedding_forward(p.chars_encoder, window.inputs, x);
  std::vector<State<S>> after;
  tape.character_outputs =
      levels_forward<S>(character_levels(config, window), p.chars_layers, x, {},
                        zero_states<S>(config.cell, 2, window.B, config.character_hidden), tape.characters, after);
  Matrix<S> words;
  pooling_forward(character_pooling(config, window), std::span<const S>(), tape.character_outputs, words);
  return words;
}
template <class S>
void words_backward(const NetworkConfig& config, const NetworkParams<const S>& p, const CharacterWindow& window,
                    const NetworkTape<S>& tape, const Matrix<S>& dwords, const NetworkParams<S>& dp) {
  Matrix<S> dx;
  pooling_backward(character_pooling(config, window), std::span<const S>(), tape.character_outputs, dwords,
                   std::span<S>(), dx);
  std::vector<State<S>> before;
  levels_backward<S>(character_levels(config, window), p.chars_layers, {}, tape.characters, 0,
                     zero_states<S>(config.cell, 2, window.B, config.character_hidden), dp.chars_layers, dx, before);
  embedding_backward(window.inputs, dx, dp.chars_encoder);
}

// What enters the first level: embeddings or numbers, and the vectors of words from their characters.
template <class S>
Matrix<S> input_forward(const NetworkConfig& config, const NetworkParams<const S>& p, const Window<S>& window,
                        NetworkTape<S>& tape) {
  Matrix<S> x;
  if (config.vocabulary > 0) {
    embedding_forward(p.encoder, window.inputs, x);
  } else {
    x = Matrix<S>(window.T * window.B, config.embed);
    for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] = S(window.task->numbers[i]);
  }
  if (config.characters > 0) {
    const Matrix<S> words = words_forward(config, p, window.task->characters, tape);
    Matrix<S> both(x.rows, x.cols + words.cols);
    for (std::int64_t r = 0; r < x.rows; ++r) {
      std::copy_n(x.row(r), x.cols, both.row(r));
      const std::int64_t word = window.task->characters.word_of[static_cast<std::size_t>(r)];
      if (word < words.rows) std::copy_n(words.row(word), words.cols, both.row(r) + x.cols);
    }
    x = both;
  }
  if (!window.masks.empty()) dropout_forward(window.masks.front(), Matrix<S>(x), x);
  return x;
}
template <class S>
void input_backward(const NetworkConfig& config, const NetworkParams<const S>& p, const Window<S>& window,
                    const NetworkTape<S>& tape, Matrix<S> dx, const NetworkParams<S>& dp) {
  if (!window.masks.empty()) dropout_backward(window.masks.front(), Matrix<S>(dx), dx);
  if (config.vocabulary == 0) return;
  Matrix<S> dsymbols(dx.rows, config.embed);
  for (std::int64_t r = 0; r < dx.rows; ++r) std::copy_n(dx.row(r), config.embed, dsymbols.row(r));
  embedding_backward(window.inputs, dsymbols, dp.encoder);
  if (config.characters == 0) return;
  const CharacterWindow& characters = window.task->characters;
  Matrix<S> dwords(static_cast<std::int64_t>(characters.texts.size()), 2 * config.character_hidden);
  for (std::int64_t r = 0; r < dx.rows; ++r) {
    const std::int64_t word = characters.word_of[static_cast<std::size_t>(r)];
    for (std::int64_t j = 0; word < dwords.rows && j < dwords.cols; ++j) dwords(word, j) += dx(r, config.embed + j);
  }
  words_backward(config, p, characters, tape, dwords, dp);
}

// Calls visit(row, level, first number of its label's state).
template <class S, class Visit>
void for_each_condition(const NetworkConfig& config, const Window<S>& window, const Visit& visit) {
  if (config.conditions == 0 || window.task == nullptr) return;
  for (std::size_t b = 0; b < window.task->conditions.size(); ++b) {
    const std::int32_t label = window.task->conditions[b];
    for (std::int64_t l = 0; label != kIgnored && l < config.layers; ++l) {
      visit(static_cast<std::int64_t>(b), static_cast<std::size_t>(l), static_cast<std::size_t>(label * config.hidden));
    }
  }
}

// The states in which rows begin: state0, or that of their label.
template <class S>
std::vector<State<S>> begin_states(const NetworkConfig& config, const NetworkParams<const S>& p,
                                   const Window<S>& window, std::vector<State<S>> state0) {
  for_each_condition(config, window, [&](std::int64_t b, std::size_t l, std::size_t first) {
    for (std::int64_t j = 0; j < config.hidden; ++j) {
      const std::size_t at = first + static_cast<std::size_t>(j);
      state0[l].h(b, j) = p.conditions[l].h[at];
      if (has_cell_state(config.cell)) state0[l].c(b, j) = p.conditions[l].c[at];
    }
  });
  return state0;
}
template <class S>
void begin_states_backward(const NetworkConfig& config, const Window<S>& window, const NetworkParams<S>& dp,
                           std::vector<State<S>>& dstate0) {
  for_each_condition(config, window, [&](std::int64_t b, std::size_t l, std::size_t first) {
    for (std::int64_t j = 0; j < config.hidden; ++j) {
      const std::size_t at = first + static_cast<std::size_t>(j);
      dp.conditions[l].h[at] += dstate0[l].h(b, j);
      dstate0[l].h(b, j) = S(0);
      if (!has_cell_state(config.cell)) continue;
      dp.conditions[l].c[at] += dstate0[l].c(b, j);
      dstate0[l].c(b, j) = S(0);
    }
  });
}

// The language model of whole texts: rows of the forward direction, then those of the backward one.
template <class S>
Matrix<S> stacked_directions(const NetworkConfig& config, const Matrix<S>& output) {
  Matrix<S> h(directions(config) * output.rows, config.hidden);
  for (std::int64_t d = 0; d < directions(config); ++d) {
    for (std::int64_t r = 0; r < output.rows; ++r) {
      std::copy_n(output.row(r) + d * config.hidden, config.hidden, h.row(d * output.rows + r));
    }
  }
  return h;
}
template <class S>
S language_forward(const NetworkConfig& config, const NetworkParams<const S>& p, const unroll::Window& window,
                   const Matrix<S>& output, SoftmaxTape<S>& tape) {
  std::vector<std::int32_t> targets;
  set_language_targets(window, config.bidirectional, targets);
  Matrix<S> h = stacked_directions(config, output);
  if (has_projection(config)) projection_forward(p.projection, Matrix<S>(h), h);
  const bool next_to_task = config.outputs > 0;
  return softmax_loss_forward(next_to_task ? p.encoder : p.decoder, next_to_task ? p.language_bias : p.decoder_bias, h,
                              targets, tape);
}
// Adds `weight` times the gradient to dp and to dx (T*B, D).
template <class S>
void language_backward(const NetworkConfig& config, const NetworkParams<const S>& p, const unroll::Window& window,
                       const NetworkTape<S>& tape, double weight, const NetworkParams<S>& dp, Matrix<S>& dx) {
  std::vector<std::int32_t> targets;
  set_language_targets(window, config.bidirectional, targets);
  const bool next_to_task = config.outputs > 0;
  const MatView<const S> V_out = next_to_task ? p.encoder : p.decoder;
  std::vector<S> own(static_cast<std::size_t>(V_out.rows * (V_out.cols + 1)));  // dV_out and db
  Matrix<S> dh;
  const MatView<S> dV(own.data(), V_out.rows, V_out.cols);
  const std::span<S> db = std::span(own).last(static_cast<std::size_t>(V_out.rows));
  softmax_loss_backward(V_out, tape.language, targets, dV, db, dh);
  const MatView<S> dV_out = next_to_task ? dp.encoder : dp.decoder;
  const std::span<S> dbias = next_to_task ? dp.language_bias : dp.decoder_bias;
  for (std::int64_t v = 0; v < V_out.rows; ++v) {
    for (std::int64_t j = 0; j < V_out.cols; ++j) dV_out(v, j) += S(weight) * dV(v, j);
    dbias[static_cast<std::size_t>(v)] += S(weight) * db[static_cast<std::size_t>(v)];
  }
  for (S& value : dh.values) value *= S(weight);
  const Matrix<S> h = stacked_directions(config, tape.output);
  if (has_projection(config)) projection_backward(p.projection, h, Matrix<S>(dh), dp.projection, dh);
  for (std::int64_t d = 0; d < directions(config); ++d) {
    for (std::int64_t r = 0; r < dx.rows; ++r) {
      for (std::int64_t j = 0; j < config.hidden; ++j) dx(r, d * config.hidden + j) += dh(d * dx.rows + r, j);
    }
  }
}

// The window's loss, averaged over its predictions, and penalties. state0 and state1 hold one state per layer and
// direction. Sets tape and state1.
template <class S>
S network_forward(const NetworkConfig& config, const NetworkParams<const S>& p, const Window<S>& window,
                  const std::vector<State<S>>& state0, NetworkTape<S>& tape, std::vector<State<S>>& state1) {
  const Matrix<S> x = input_forward(config, p, window, tape);
  tape.output = levels_forward<S>(levels_shape(config, window), p.layers, x, levels_masks(config, window),
                                  begin_states(config, p, window, state0), tape.levels, state1);
  const S penalty = activation_penalty_forward(window.ar, tape.output) +
                    temporal_penalty_forward(window.tar, window.B, window.reset, tape.levels.outputs.back());
  if (config.outputs > 0) {
    const S loss = label_forward(config, label_params(config, p), {*window.task, window.label_smoothing},
                                 readout_mask(config, window), tape.output, tape.labels);
    if (!config.language) return loss + penalty;
    return loss + S(window.language) * language_forward(config, p, *window.task, tape.output, tape.language) + penalty;
  }
  if (config.bidirectional) return language_forward(config, p, *window.task, tape.output, tape.language) + penalty;
  Matrix<S> h = tape.output;
  if (has_projection(config)) projection_forward(p.projection, tape.output, h);
  return output_forward(config, p, h, window.targets, tape.head) + penalty;
}

// Adds to dp; sets dstate0. dstate1 is the gradient with respect to state1, zero if nothing follows.
template <class S>
void network_backward(const NetworkConfig& config, const NetworkParams<const S>& p, const Window<S>& window,
                      const NetworkTape<S>& tape, const std::vector<State<S>>& dstate1, const NetworkParams<S>& dp,
                      std::vector<State<S>>& dstate0) {
  Matrix<S> dx;
  if (config.outputs > 0) {
    label_backward(config, label_params(config, p), {*window.task, window.label_smoothing},
                   readout_mask(config, window), tape.labels, label_params(config, dp), dx);
    if (config.language) language_backward(config, p, *window.task, tape, window.language, dp, dx);
  } else if (config.bidirectional) {
    dx = Matrix<S>(tape.output.rows, tape.output.cols);
    language_backward(config, p, *window.task, tape, 1, dp, dx);
  } else {
    output_backward(config, p, tape.head, window.targets, dp, dx);
    if (has_projection(config)) projection_backward(p.projection, tape.output, Matrix<S>(dx), dp.projection, dx);
  }
  activation_penalty_backward(window.ar, tape.output, dx);
  levels_backward<S>(levels_shape(config, window), p.layers, levels_masks(config, window), tape.levels, window.tar,
                     dstate1, dp.layers, dx, dstate0);
  begin_states_backward(config, window, dp, dstate0);
  input_backward(config, p, window, tape, dx, dp);
}

}  // namespace unroll::ref
