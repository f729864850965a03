// The recurrent layers of a network, in one or both directions, in plain loops. See network/levels.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "network/ref/cells.h"
#include "nn/ref/activation_penalty.h"
#include "nn/ref/dropout.h"
#include "nn/ref/recurrent.h"

namespace unroll::ref {

// Which layers there are, and the window that they run over.
struct LevelsShape {
  Cell cell = Cell::kLstm;
  std::int64_t T = 0;
  std::int64_t B = 0;
  std::int64_t H = 0;
  std::int64_t levels = 1;
  bool bidirectional = false;
  bool residual = false;
  std::span<const std::uint8_t> reset;

  [[nodiscard]] std::size_t directions() const noexcept { return bidirectional ? 2 : 1; }
};

template <class S>
struct LevelsTape {
  std::vector<Tape<S>> layers;       // one per layer and direction
  std::vector<Matrix<S>> dropped_W;  // of each, after weight-drop; empty: none
  std::vector<Matrix<S>> outputs;    // of each level, before dropout and residual connection
};

// The masks of a window: dropout of each level's output, and weight-drop of each layer's W; empty: none.
template <class S>
struct LevelsMasks {
  std::vector<Matrix<S>> outputs;
  std::vector<Matrix<S>> weights;
};

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

// The rows of a window in reversed time.
template <class S>
Matrix<S> reversed_steps(const LevelsShape& s, const Matrix<S>& x) {
  Matrix<S> y(x.rows, x.cols);
  for (std::int64_t t = 0; t < s.T; ++t) {
    std::copy(x.row(t * s.B), x.row(t * s.B) + s.B * x.cols, y.row((s.T - 1 - t) * s.B));
  }
  return y;
}

// In reversed time a step starts from zero where what came after it did, and the first one does.
inline std::vector<std::uint8_t> reversed_resets(const LevelsShape& s) {
  std::vector<std::uint8_t> reversed;
  for (std::int64_t t = s.T - 1; t >= 0; --t) {
    for (std::int64_t b = 0; b < s.B; ++b) {
      const auto next = static_cast<std::size_t>((t + 1) * s.B + b);
      reversed.push_back(t + 1 == s.T || s.reset[next] != 0 ? 1 : 0);
    }
  }
  return reversed;
}

// A layer's parameters as used by the forward pass.
template <class S>
RecurrentParams<const S> used_params(std::span<const RecurrentParams<const S>> p, const LevelsTape<S>& tape,
                                     std::size_t layer) {
  RecurrentParams<const S> used = p[layer];
  if (!tape.dropped_W.empty()) used.W = {tape.dropped_W[layer].values.data(), used.W.rows, used.W.cols};
  return used;
}

template <class S>
void drop_weights(std::span<const RecurrentParams<const S>> p, const std::vector<Matrix<S>>& masks,
                  LevelsTape<S>& tape) {
  tape.dropped_W.clear();
  for (std::size_t l = 0; l < masks.size(); ++l) {
    const MatView<const S>& W = p[l].W;
    Matrix<S> values(W.rows, W.cols);
    std::copy_n(W.data, values.values.size(), values.values.begin());
    dropout_forward(masks[l], values, tape.dropped_W.emplace_back());
  }
}

// The output of level l: of its layer, or of both directions, one after the other.
template <class S>
Matrix<S> level_forward(const LevelsShape& s, std::span<const RecurrentParams<const S>> p, std::size_t l,
                        const Matrix<S>& x, const std::vector<State<S>>& state0, LevelsTape<S>& tape,
                        std::vector<State<S>>& state1) {
  const RecurrentShape shape{s.T, s.B, x.cols, s.H};
  const std::size_t n = l * s.directions();
  recurrent_forward(s.cell, shape, used_params(p, tape, n), x, s.reset, state0[n], tape.layers[n], state1[n]);
  if (!s.bidirectional) return tape.layers[n].h;
  const std::vector<std::uint8_t> reset = reversed_resets(s);
  recurrent_forward(s.cell, shape, used_params(p, tape, n + 1), reversed_steps(s, x),
                    std::span<const std::uint8_t>(reset), state0[n + 1], tape.layers[n + 1], state1[n + 1]);
  const Matrix<S> k = reversed_steps(s, tape.layers[n + 1].h);
  Matrix<S> y(x.rows, 2 * s.H);
  for (std::int64_t r = 0; r < y.rows; ++r) {
    std::copy_n(tape.layers[n].h.row(r), s.H, y.row(r));
    std::copy_n(k.row(r), s.H, y.row(r) + s.H);
  }
  return y;
}

// Its backward: adds to dp, sets dx and dstate0.
template <class S>
void level_backward(const LevelsShape& s, std::span<const RecurrentParams<const S>> p, std::size_t l,
                    const LevelsTape<S>& tape, const Matrix<S>& dy, const std::vector<State<S>>& dstate1,
                    std::span<const RecurrentParams<S>> dp, Matrix<S>& dx, std::vector<State<S>>& dstate0) {
  const std::size_t n = l * s.directions();
  const RecurrentShape shape{s.T, s.B, tape.layers[n].x.cols, s.H};
  if (!s.bidirectional) {
    return recurrent_backward(s.cell, shape, used_params(p, tape, n), tape.layers[n], dy, dstate1[n], dp[n], dx,
                              dstate0[n]);
  }
  Matrix<S> dh(dy.rows, s.H);
  Matrix<S> dk(dy.rows, s.H);
  for (std::int64_t r = 0; r < dy.rows; ++r) {
    std::copy_n(dy.row(r), s.H, dh.row(r));
    std::copy_n(dy.row(r) + s.H, s.H, dk.row(r));
  }
  recurrent_backward(s.cell, shape, used_params(p, tape, n), tape.layers[n], dh, dstate1[n], dp[n], dx, dstate0[n]);
  Matrix<S> dreversed;
  recurrent_backward(s.cell, shape, used_params(p, tape, n + 1), tape.layers[n + 1], reversed_steps(s, dk),
                     dstate1[n + 1], dp[n + 1], dreversed, dstate0[n + 1]);
  add(reversed_steps(s, dreversed), dx);
}

// The outputs of the last level after dropout. state0 and state1 hold one state per layer and direction.
template <class S>
Matrix<S> levels_forward(const LevelsShape& s, std::span<const RecurrentParams<const S>> p, Matrix<S> x,
                         const LevelsMasks<S>& masks, const std::vector<State<S>>& state0, LevelsTape<S>& tape,
                         std::vector<State<S>>& state1) {
  drop_weights(p, masks.weights, tape);
  tape.layers.resize(p.size());
  tape.outputs.resize(static_cast<std::size_t>(s.levels));
  state1.resize(p.size());
  for (std::size_t l = 0; l < tape.outputs.size(); ++l) {
    tape.outputs[l] = level_forward(s, p, l, x, state0, tape, state1);
    Matrix<S> y = tape.outputs[l];
    if (!masks.outputs.empty()) dropout_forward(masks.outputs[l], Matrix<S>(y), y);
    if (s.residual && l > 0) add(x, y);
    x = y;
  }
  return x;
}

// Its backward, given the gradient of these outputs. Adds to dp; sets dx and dstate0. `tar` is the penalty on changes
// of the last level's outputs.
template <class S>
void levels_backward(const LevelsShape& s, std::span<const RecurrentParams<const S>> p, const LevelsMasks<S>& masks,
                     const LevelsTape<S>& tape, double tar, const std::vector<State<S>>& dstate1,
                     std::span<const RecurrentParams<S>> dp, Matrix<S>& dx, std::vector<State<S>>& dstate0) {
  dstate0.resize(p.size());
  for (std::size_t l = tape.outputs.size(); l-- > 0;) {
    const Matrix<S> dy = dx;
    Matrix<S> dout = dy;
    if (!masks.outputs.empty()) dropout_backward(masks.outputs[l], dy, dout);
    if (l + 1 == tape.outputs.size()) temporal_penalty_backward(tar, s.B, s.reset, tape.outputs[l], dout);
    level_backward(s, p, l, tape, dout, dstate1, dp, dx, dstate0);
    if (s.residual && l > 0) add(dy, dx);
  }
  for (std::size_t layer = 0; layer < masks.weights.size(); ++layer) {
    for (std::int64_t i = 0; i < dp[layer].W.size(); ++i) {
      dp[layer].W.data[i] *= masks.weights[layer].values[static_cast<std::size_t>(i)];
    }
  }
}

}  // namespace unroll::ref
