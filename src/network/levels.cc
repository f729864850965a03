#include "network/levels.h"

#include <algorithm>
#include <cassert>

#include "kernels/arrays.h"
#include "network/recurrent_cells.h"
#include "nn/activation_penalty.h"

namespace unroll {
namespace {

RecurrentNormTape fit(const RecurrentNormTape& planned, std::int64_t rows, std::int64_t B) {
  const auto fit_rows = [rows](const NormTape& tape) {
    return NormTape{unroll::fit(tape.normalized, rows), unroll::fit(tape.inverse, rows)};
  };
  return {.input = fit_rows(planned.input),
          .hidden = fit_rows(planned.hidden),
          .cell = fit_rows(planned.cell),
          .dinput = unroll::fit(planned.dinput, B),
          .dhidden = unroll::fit(planned.dhidden, B),
          .dcell = unroll::fit(planned.dcell, B),
          .db_cell = unroll::fit(planned.db_cell, B)};
}

// A planned buffer as a matrix of fewer rows and columns.
MatView<float> fit(MatView<float> planned, std::int64_t rows, std::int64_t cols) {
  assert(rows * cols <= planned.size());
  return {planned.data, rows, cols};
}

}  // namespace

NetworkState::NetworkState(const NetworkConfig& config, std::int64_t rows)
    : B(rows),
      H(config.hidden),
      h(config.layers * directions(config) * rows * config.hidden),
      c(has_cell_state(config.cell) ? h.size() : 0) {}

RecurrentState<float> NetworkState::layer(std::int64_t number) const {
  RecurrentState<float> state{.h = {h.data() + number * B * H, B, H}, .c = {}};
  if (c.size() > 0) state.c = {c.data() + number * B * H, B, H};
  return state;
}

void NetworkState::set_zero() {
  std::ranges::fill(h.span(), 0.0F);
  std::ranges::fill(c.span(), 0.0F);
}

DropoutMask weight_drop_mask(double probability, NoiseKey noise, std::int64_t layer) {
  return {.probability = probability,
          .key = noise,
          .purpose = RandomPurpose::kWeightDrop,
          .index = static_cast<std::uint32_t>(layer)};
}

Levels::Levels(const ActivationShape& shape, const LevelActivations& planned, Workers& workers)
    : shape_(shape),
      config_(shape.config),
      planned_(planned),
      workers_(workers),
      tapes_(planned.tapes.size()),
      inputs_(planned.mixed.size()),
      h_(planned.mixed.size()) {}

DropoutMask Levels::mask(double probability, NoiseKey noise, std::int64_t connection) const {
  return {.probability = shape_.purpose == Purpose::kTraining ? probability : 0,
          .key = noise,
          .index = static_cast<std::uint32_t>(connection),
          .rows = {.B = steps_.B,
                   .first = part_.first_row,
                   .all = part_.rows > 0 ? part_.rows : steps_.B,
                   .locked = shape_.regularization.locked}};
}

DropoutMask Levels::output_mask(NoiseKey noise, std::int64_t l) const {
  return mask(output_dropout(shape_, l), noise, l + 1);
}

MatView<float> Levels::forward(std::span<const RecurrentWeights> weights, MatView<float> x,
                               std::span<const std::uint8_t> reset, NetworkState& state, NoiseKey noise) {
  reset_ = reset;
  if (config_.bidirectional) {
    assert(std::ssize(reset) == rows());
    reversed_reset_.resize(reset.size());
    reverse_resets(steps_, reset, reversed_reset_);
  }
  if (read_) read_(0, x);
  for (std::int64_t l = 0; l < config_.layers; ++l) {
    inputs_[static_cast<std::size_t>(l)] = x;
    const MatView<float> h = forward_level(l, weights, x, state);
    h_[static_cast<std::size_t>(l)] = h;
    x = mix(l, noise, h, x);
    if (read_) read_(l + 1, x);
  }
  return x;
}

MatView<float> Levels::backward(std::span<const RecurrentWeights> weights, MatView<float> dy,
                                std::span<const RecurrentParams<float>> dparams, NoiseKey noise, NetworkState* dstate0,
                                const std::function<void(std::int64_t)>& done) {
  const Regularization& regularization = shape_.regularization;
  for (std::int64_t l = config_.layers - 1; l >= 0; --l) {
    const auto at = static_cast<std::size_t>(l);
    const MatView<float> dh = mix_backward(l, noise, dy);
    if (regularization.tar > 0 && l + 1 == config_.layers) {
      add_temporal_penalty(workers_, part_.share * regularization.tar, steps_.B, reset_, h_[at], dh);
    }
    const MatView<float> dx = other_than(dy, inputs_[at].cols);
    backward_level(l, weights, dh, dparams, dx, dstate0);
    if (config_.residual && l > 0) add_rows(dy, dx);
    dy = dx;
    if (done) done(l);
  }
  for (std::size_t layer = 0; regularization.recurrent > 0 && layer < dparams.size(); ++layer) {
    const DropoutMask dropped = weight_drop_mask(regularization.recurrent, noise, static_cast<std::int64_t>(layer));
    dropout_backward(workers_, dropped, dparams[layer].W, dparams[layer].W);
  }
  return dy;
}

MatView<float> Levels::forward_level(std::int64_t l, std::span<const RecurrentWeights> weights, MatView<float> x,
                                     NetworkState& state) {
  if (!config_.bidirectional) return forward_layer(l, weights[static_cast<std::size_t>(l)], x, reset_, state);
  const auto at = static_cast<std::size_t>(l);
  const MatView<float> reversed = fit(planned_.reversed[at], rows(), x.cols);
  reverse_steps(workers_, steps_, x, reversed);
  const MatView<float> h = forward_layer(2 * l, weights[2 * at], x, reset_, state);
  const MatView<float> k = forward_layer(2 * l + 1, weights[2 * at + 1], reversed, reversed_reset_, state);
  const MatView<float> y = unroll::fit(planned_.joined[at], rows());
  join_directions(workers_, steps_, h, k, y);
  return y;
}

void Levels::backward_level(std::int64_t l, std::span<const RecurrentWeights> weights, MatView<float> dh,
                            std::span<const RecurrentParams<float>> dparams, MatView<float> dx, NetworkState* dstate0) {
  const auto at = static_cast<std::size_t>(l);
  if (!config_.bidirectional) return backward_layer(l, weights[at], dh, dparams[at], dx, dstate0);
  const MatView<float> dforward = unroll::fit(planned_.d_directions[0], rows());
  const MatView<float> dbackward = unroll::fit(planned_.d_directions[1], rows());
  const MatView<float> dreversed = fit(planned_.d_reversed, rows(), dx.cols);
  split_directions(workers_, steps_, dh, dforward, dbackward);
  backward_layer(2 * l + 1, weights[2 * at + 1], dbackward, dparams[2 * at + 1], dreversed, dstate0);
  backward_layer(2 * l, weights[2 * at], dforward, dparams[2 * at], dx, dstate0);
  add_reversed_steps(workers_, steps_, dreversed, dx);
}

// Runs a layer from its part of the state, which it updates. Returns its outputs.
MatView<float> Levels::forward_layer(std::int64_t number, const RecurrentWeights& weights, MatView<const float> x,
                                     std::span<const std::uint8_t> reset, const NetworkState& state) {
  const RecurrentTape& whole = planned_.tapes[static_cast<std::size_t>(number)];
  RecurrentTape& tape = tapes_[static_cast<std::size_t>(number)];
  const std::int64_t B = steps_.B;
  tape = {.x = x,
          .gates = unroll::fit(whole.gates, rows()),
          .h = unroll::fit(whole.h, rows() + B),
          .c = unroll::fit(whole.c, rows() + B),
          .candidate = unroll::fit(whole.candidate, rows()),
          .products = unroll::fit(whole.products, B),
          .reset = reset,
          .norm = fit(whole.norm, rows(), B)};
  const RecurrentState<float> carried = state.layer(number);
  std::ranges::copy(carried.h.flat(), tape.h.data);
  if (carried.c.data != nullptr) std::ranges::copy(carried.c.flat(), tape.c.data);
  recurrent_forward(config_.cell, workers_, {steps_.T, B, x.cols, config_.hidden}, weights, tape);
  std::ranges::copy(tape.h.row_range(rows(), B).flat(), carried.h.data);
  if (carried.c.data != nullptr) std::ranges::copy(tape.c.row_range(rows(), B).flat(), carried.c.data);
  return tape.h.row_range(B, rows());
}

// Sets dx, and the layer's part of dstate0 unless that is null.
void Levels::backward_layer(std::int64_t number, const RecurrentWeights& weights, MatView<const float> dh,
                            const RecurrentParams<float>& dparams, MatView<float> dx, NetworkState* dstate0) {
  const std::int64_t B = steps_.B;
  const RecurrentGradientState dstate{.dh = unroll::fit(planned_.dh, B),
                                      .dc = unroll::fit(planned_.dc, B),
                                      .scratch = unroll::fit(planned_.dh_products, B)};
  std::ranges::fill(dstate.dh.flat(), 0.0F);
  if (dstate.dc.data != nullptr) std::ranges::fill(dstate.dc.flat(), 0.0F);
  recurrent_backward(config_.cell, workers_, {steps_.T, B, dx.cols, config_.hidden}, weights,
                     tapes_[static_cast<std::size_t>(number)], dh, dparams, dstate, dx);
  if (dstate0 == nullptr) return;
  const RecurrentState<float> out = dstate0->layer(number);
  std::ranges::copy(dstate.dh.flat(), out.h.data);
  if (out.c.data != nullptr) std::ranges::copy(dstate.dc.flat(), out.c.data);
}

// y = dropout(h), + x with a residual connection: the input of the level above level l.
MatView<float> Levels::mix(std::int64_t l, NoiseKey noise, MatView<float> h, MatView<float> x) {
  if (!mixes_output(shape_, l)) return h;
  const MatView<float> y = unroll::fit(planned_.mixed[static_cast<std::size_t>(l)], h.rows);
  const DropoutMask dropped = output_mask(noise, l);
  if (dropped.probability > 0) {
    dropout_forward(workers_, dropped, h, y);
    if (config_.residual && l > 0) add_rows(x, y);
  } else if (y.data == x.data) {
    add_rows(h, y);
  } else {
    std::ranges::copy(h.flat(), y.data);
    add_rows(x, y);
  }
  return y;
}

// Its backward: returns the gradient of h. With a residual connection, dy stays the gradient of x's part.
MatView<float> Levels::mix_backward(std::int64_t l, NoiseKey noise, MatView<float> dy) {
  const bool residual = config_.residual && l > 0;
  const DropoutMask dropped = output_mask(noise, l);
  if (dropped.probability == 0 && !residual) return dy;
  const MatView<float> dh = residual ? unroll::fit(planned_.d_branch, dy.rows) : dy;
  if (dropped.probability > 0) {
    dropout_backward(workers_, dropped, dy, dh);
  } else {
    std::ranges::copy(dy.flat(), dh.data);
  }
  return dh;
}

MatView<float> Levels::other_than(MatView<const float> d, std::int64_t cols) const {
  const bool in_first = d.data == planned_.d_activations[0].data;
  return {planned_.d_activations[in_first ? 1 : 0].data, d.rows, cols};
}

// y += x, row by row.
void Levels::add_rows(MatView<const float> x, MatView<float> y) {
  constexpr std::int64_t kRowsPerTask = 32;
  workers_.run_ranges(y.rows, kRowsPerTask, [&](std::int64_t first, std::int64_t last) {
    add(x.row_range(first, last - first).flat(), y.row_range(first, last - first).flat());
  });
}

}  // namespace unroll
