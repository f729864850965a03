#include "network/network.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>

#include "kernels/arrays.h"
#include "nn/activation_penalty.h"
#include "nn/embedding.h"
#include "nn/gru.h"
#include "nn/gru_reset_before.h"
#include "nn/lstm.h"
#include "nn/min_gru.h"
#include "nn/min_lstm.h"
#include "nn/rnn.h"

namespace unroll {
namespace {

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

std::int64_t inputs_of_layer(const NetworkConfig& config, std::int64_t l) {
  return l == 0 ? config.embed : config.hidden;
}

// The mask of weight-drop of layer l's W.
DropoutMask weight_drop_mask(double probability, NoiseKey noise, std::int64_t l) {
  return {.probability = probability,
          .key = noise,
          .purpose = RandomPurpose::kWeightDrop,
          .index = static_cast<std::uint32_t>(l)};
}

}  // namespace

NetworkWeights::NetworkWeights(const NetworkConfig& config, Purpose purpose, Precision precision, double weight_drop,
                               bool sampled)
    : config_(config),
      precision_(precision),
      weight_drop_(weight_drop),
      output_(config, precision, purpose == Purpose::kTraining, !sampled) {
  const bool training = purpose == Purpose::kTraining;
  for (std::int64_t l = 0; l < config.layers; ++l) {
    layers_.emplace_back(config.cell, inputs_of_layer(config, l), config.hidden, precision, training);
  }
  if (has_projection(config)) {
    projection_.P = PackedMatrix(config.hidden, config.embed, precision);
    if (training) projection_.P_back = PackedMatrix(config.embed, config.hidden, precision);
  }
}

void NetworkWeights::pack(const ParametersView& parameters, Workers& workers, NoiseKey noise) {
  encoder_ = parameters.encoder;
  output_.view(parameters);
  std::vector<PackingTask> tasks = output_.packing_tasks(parameters);
  if (has_projection(config_)) {
    PackedMatrix* const back = projection_.P_back.bytes() > 0 ? &projection_.P_back : nullptr;
    tasks.push_back({parameters.projection, &projection_.P, back});
  }
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    RecurrentView layer = parameters.layers[l];
    if (weight_drop_ > 0) layer.W = drop_weights(layer.W, workers, noise, l);
    layers_[l].copy_vectors(config_.cell, layer);
    for (const PackingTask& task : layers_[l].packing_tasks(config_.cell, layer)) tasks.push_back(task);
  }
  pack_all(workers, tasks);
}

WeightView NetworkWeights::drop_weights(const WeightView& W, Workers& workers, NoiseKey noise, std::size_t l) {
  const MatView<const float> all = W.f32();
  dropped_.resize(layers_.size());
  if (dropped_[l].size() == 0) dropped_[l] = FloatBuffer(all.size());
  const MatView<float> kept(dropped_[l].data(), all.rows, all.cols);
  dropout_forward(workers, weight_drop_mask(weight_drop_, noise, static_cast<std::int64_t>(l)), all, kept);
  return kept;
}

std::int64_t NetworkWeights::bytes() const noexcept {
  std::int64_t sum = output_.bytes() + projection_.P.bytes() + projection_.P_back.bytes();
  for (const RecurrentWeights& layer : layers_) sum += layer.bytes();
  for (const FloatBuffer& W : dropped_) sum += static_cast<std::int64_t>(sizeof(float)) * W.size();
  return sum;
}

NetworkState::NetworkState(const NetworkConfig& config, std::int64_t rows)
    : B(rows),
      H(config.hidden),
      h(config.layers * rows * config.hidden),
      c(has_cell_state(config.cell) ? config.layers * rows * config.hidden : 0) {}

RecurrentState<float> NetworkState::layer(std::int64_t l) const {
  RecurrentState<float> state{.h = {h.data() + l * B * H, B, H}, .c = {}};
  if (c.size() > 0) state.c = {c.data() + l * B * H, B, H};
  return state;
}

void NetworkState::set_zero() {
  std::ranges::fill(h.span(), 0.0F);
  std::ranges::fill(c.span(), 0.0F);
}

namespace {

// The part of a planned buffer for a smaller window: the same memory, as contiguous rows.
template <class T>
MatView<T> fit(MatView<T> planned, std::int64_t rows) {
  assert(planned.data == nullptr || rows <= planned.rows);
  return planned.data == nullptr ? planned : planned.row_range(0, rows);
}

RecurrentNormTape fit(const RecurrentNormTape& planned, std::int64_t rows, std::int64_t B) {
  const auto fit_rows = [rows](const NormTape& tape) {
    return NormTape{fit(tape.normalized, rows), fit(tape.inverse, rows)};
  };
  return {.input = fit_rows(planned.input),
          .hidden = fit_rows(planned.hidden),
          .cell = fit_rows(planned.cell),
          .dinput = fit(planned.dinput, B),
          .dhidden = fit(planned.dhidden, B),
          .dcell = fit(planned.dcell, B),
          .db_cell = fit(planned.db_cell, B)};
}

// What a mean over the window's predictions is divided by.
double mean_divisor(const Window& window) noexcept {
  return static_cast<double>(std::max<std::int64_t>(1, window.predictions));
}

}  // namespace

struct Network::Impl {
  ActivationShape shape;
  const NetworkConfig& config;
  Workers& workers;
  FloatBuffer memory;
  Activations planned;
  std::vector<RecurrentTape> tapes;  // of the last window
  std::vector<double> log_probs;
  std::vector<SymbolPrediction> predictions;
  std::optional<SampledStep> sampled;  // made in the first backward with samples
  MatView<float> outputs;              // of the last layer in the last window
  MatView<float> decoder_outputs;      // inputs of the output layer: outputs, or their projection
  std::int64_t window_T = 0;
  std::int64_t window_B = 0;

  Impl(const ActivationShape& largest, Workers& team)
      : shape(largest),
        config(shape.config),
        workers(team),
        memory(total(shape)),
        planned(shape, memory.data()),
        tapes(planned.tapes) {}

  static std::int64_t total(const ActivationShape& shape) {
    std::int64_t floats = 0;
    for (const PlannedBuffer& buffer : Activations::plan(shape)) floats += buffer.floats;
    return floats;
  }

  // The mask of connection number `connection`: 0 is the output of the embedding, l+1 of layer l.
  [[nodiscard]] DropoutMask mask(double probability, NoiseKey noise, std::int64_t connection) const {
    return {.probability = shape.purpose == Purpose::kTraining ? probability : 0,
            .key = noise,
            .index = static_cast<std::uint32_t>(connection),
            .period = shape.regularization.locked ? window_B : 0};
  }
  [[nodiscard]] DropoutMask output_mask(NoiseKey noise, std::int64_t l) const {
    return mask(output_dropout(shape, l), noise, l + 1);
  }
  [[nodiscard]] DropoutMask word_mask(NoiseKey noise) const {
    DropoutMask words = mask(shape.regularization.words, noise, 0);
    words.purpose = RandomPurpose::kWordDropout;
    return words;
  }

  // The input of the first layer.
  MatView<float> embed(const NetworkWeights& weights, const Window& window, NoiseKey noise) {
    const MatView<float> x = fit(planned.embedded, window_T * window_B);
    embedding_forward(workers, weights.encoder(), window.inputs, x);
    const DropoutMask words = word_mask(noise);
    if (words.probability > 0) word_dropout_forward(workers, words, window.inputs, x, x);
    const DropoutMask input = mask(shape.regularization.input, noise, 0);
    if (input.probability > 0) dropout_forward(workers, input, x, x);
    return x;
  }

  // Its backward: sets dx to the gradient of the embedded symbols.
  void embed_backward(const Window& window, NoiseKey noise, MatView<float> dx) {
    const DropoutMask input = mask(shape.regularization.input, noise, 0);
    if (input.probability > 0) dropout_backward(workers, input, dx, dx);
    const DropoutMask words = word_mask(noise);
    if (words.probability > 0) word_dropout_backward(workers, words, window.inputs, dx, dx);
  }

  // y = dropout(h), + x with a residual connection: the input of the layer above layer l.
  MatView<float> mix(std::int64_t l, NoiseKey noise, MatView<float> h, MatView<float> x) {
    if (!mixes_output(shape, l)) return h;
    const MatView<float> y = fit(planned.mixed[static_cast<std::size_t>(l)], h.rows);
    const DropoutMask dropped = output_mask(noise, l);
    if (dropped.probability > 0) {
      dropout_forward(workers, dropped, h, y);
      if (config.residual && l > 0) add_rows(x, y);
    } else if (y.data == x.data) {
      add_rows(h, y);
    } else {
      std::ranges::copy(h.flat(), y.data);
      add_rows(x, y);
    }
    return y;
  }

  // Its backward: returns the gradient of h. With a residual connection, dy stays the gradient of x's part.
  MatView<float> mix_backward(std::int64_t l, NoiseKey noise, MatView<float> dy) {
    const bool residual = config.residual && l > 0;
    const DropoutMask dropped = output_mask(noise, l);
    if (dropped.probability == 0 && !residual) return dy;
    const MatView<float> dh = residual ? fit(planned.d_branch, dy.rows) : dy;
    if (dropped.probability > 0) {
      dropout_backward(workers, dropped, dy, dh);
    } else {
      std::ranges::copy(dy.flat(), dh.data);
    }
    return dh;
  }

  // y += x, row by row.
  void add_rows(MatView<const float> x, MatView<float> y) {
    constexpr std::int64_t kRowsPerTask = 32;
    workers.run_ranges(y.rows, kRowsPerTask, [&](std::int64_t first, std::int64_t last) {
      add(x.row_range(first, last - first).flat(), y.row_range(first, last - first).flat());
    });
  }

  // Runs layer l on x from its part of the state, which it updates. Returns its outputs.
  MatView<float> forward_layer(std::int64_t l, const RecurrentWeights& weights, MatView<const float> x,
                               std::span<const std::uint8_t> reset, const NetworkState& state) {
    const Activations& p = planned;
    const RecurrentTape& whole = p.tapes[static_cast<std::size_t>(l)];
    RecurrentTape& tape = tapes[static_cast<std::size_t>(l)];
    const std::int64_t rows = window_T * window_B;
    tape = {.x = x,
            .gates = fit(whole.gates, rows),
            .h = fit(whole.h, rows + window_B),
            .c = fit(whole.c, rows + window_B),
            .candidate = fit(whole.candidate, rows),
            .products = fit(whole.products, window_B),
            .reset = reset,
            .norm = fit(whole.norm, rows, window_B)};
    const RecurrentState<float> carried = state.layer(l);
    std::ranges::copy(carried.h.flat(), tape.h.data);
    if (carried.c.data != nullptr) std::ranges::copy(carried.c.flat(), tape.c.data);
    recurrent_forward(config.cell, workers, {window_T, window_B, x.cols, config.hidden}, weights, tape);
    std::ranges::copy(tape.h.row_range(rows, window_B).flat(), carried.h.data);
    if (carried.c.data != nullptr) std::ranges::copy(tape.c.row_range(rows, window_B).flat(), carried.c.data);
    return tape.h.row_range(window_B, rows);
  }

  // Backward through layer l. Sets dx, and layer l's part of dstate0 unless that is null.
  void backward_layer(std::int64_t l, const RecurrentWeights& weights, MatView<const float> dh, Gradients& gradients,
                      MatView<float> dx, NetworkState* dstate0) {
    const RecurrentGradientState dstate{.dh = fit(planned.dh, window_B),
                                        .dc = fit(planned.dc, window_B),
                                        .scratch = fit(planned.dh_products, window_B)};
    std::ranges::fill(dstate.dh.flat(), 0.0F);
    if (dstate.dc.data != nullptr) std::ranges::fill(dstate.dc.flat(), 0.0F);
    recurrent_backward(config.cell, workers, {window_T, window_B, dx.cols, config.hidden}, weights,
                       tapes[static_cast<std::size_t>(l)], dh, gradients.layer(l), dstate, dx);
    if (dstate0 == nullptr) return;
    const RecurrentState<float> out = dstate0->layer(l);
    std::ranges::copy(dstate.dh.flat(), out.h.data);
    if (out.c.data != nullptr) std::ranges::copy(dstate.dc.flat(), out.c.data);
  }

  // Computes the loss, and returns the gradient of the last layer's outputs.
  MatView<float> backward_from_loss(const NetworkWeights& weights, const Window& window, Gradients& gradients,
                                    NoiseKey noise) {
    const auto scale = static_cast<float>(1 / mean_divisor(window));
    log_probs.resize(window.targets.size());
    const MatView<float> d_inputs(planned.d_activations[0].data, decoder_outputs.rows, decoder_outputs.cols);
    if (shape.samples > 0) {
      if (!sampled) sampled.emplace(config, shape.samples, weights.precision());
      output_sampled_loss_and_gradient(workers, *sampled, weights.output(), noise, decoder_outputs, window.targets,
                                       scale, planned.output, log_probs, gradients, d_inputs);
    } else {
      output_loss_and_gradient(workers, config, weights.output(), decoder_outputs, window.targets, scale,
                               planned.output, log_probs, gradients, d_inputs);
    }
    if (!has_projection(config)) return d_inputs;
    const MatView<float> dy = other_than(d_inputs, config.hidden);
    projection_backward(workers, weights.projection(), outputs, d_inputs, gradients.projection(), dy);
    return dy;
  }

  // A matrix with as many rows as `d`, in the other one of the two buffers of gradients.
  [[nodiscard]] MatView<float> other_than(MatView<const float> d, std::int64_t cols) const {
    const bool in_first = d.data == planned.d_activations[0].data;
    return {planned.d_activations[in_first ? 1 : 0].data, d.rows, cols};
  }
};

Network::Network(const NetworkConfig& config, Purpose purpose, std::int64_t T, std::int64_t B, Workers& workers,
                 const Regularization& regularization, std::int64_t samples)
    : impl_(std::make_unique<Impl>(ActivationShape{config, regularization, purpose, T, B, samples}, workers)) {}
Network::~Network() = default;

std::vector<PlannedBuffer> Network::plan(const NetworkConfig& config, Purpose purpose, std::int64_t T, std::int64_t B,
                                         const Regularization& regularization, std::int64_t samples) {
  return Activations::plan({config, regularization, purpose, T, B, samples});
}

void Network::forward(const NetworkWeights& weights, const Window& window, NetworkState& state, NoiseKey noise) {
  Impl& n = *impl_;
  assert(window.T <= n.shape.T && window.B <= n.shape.B && window.B == state.B);
  n.window_T = window.T;
  n.window_B = window.B;
  MatView<float> x = n.embed(weights, window, noise);
  for (std::int64_t l = 0; l < n.config.layers; ++l) {
    x = n.mix(l, noise, n.forward_layer(l, weights.layer(l), x, window.reset, state), x);
  }
  n.outputs = x;
  n.decoder_outputs = x;
  if (!has_projection(n.config)) return;
  n.decoder_outputs = fit(n.planned.projected, x.rows);
  projection_forward(n.workers, weights.projection(), x, n.decoder_outputs);
}

MatView<const float> Network::outputs() const noexcept { return impl_->decoder_outputs; }

std::span<const double> Network::log_probs(const NetworkWeights& weights, const Window& window) {
  Impl& n = *impl_;
  n.log_probs.resize(static_cast<std::size_t>(n.decoder_outputs.rows));
  output_log_probs(n.workers, n.config, weights.output(), n.decoder_outputs, window.targets, n.planned.output,
                   n.log_probs);
  return n.log_probs;
}

std::span<const SymbolPrediction> Network::predictions(const NetworkWeights& weights, const Window& window) {
  Impl& n = *impl_;
  n.predictions.resize(static_cast<std::size_t>(n.decoder_outputs.rows));
  output_predictions(n.workers, n.config, weights.output(), n.decoder_outputs, window.targets, n.planned.output,
                     n.predictions);
  return n.predictions;
}

void Network::read_logits(const NetworkWeights& weights, const LogitsReader& read) {
  Impl& n = *impl_;
  output_logits(n.workers, n.config, weights.output(), n.decoder_outputs, n.planned.output, read);
}

void Network::logits(const NetworkWeights& weights, std::int64_t row, std::span<float> out) {
  Impl& n = *impl_;
  output_logits(n.workers, n.config, weights.output(), n.decoder_outputs.row_range(row, 1), n.planned.output,
                [&](std::int64_t, std::span<float> logits) { std::ranges::copy(logits, out.begin()); });
}

double Network::backward(const NetworkWeights& weights, const Window& window, Gradients& gradients, NoiseKey noise,
                         NetworkState* dstate0) {
  Impl& n = *impl_;
  assert(n.shape.purpose == Purpose::kTraining);
  const Regularization& regularization = n.shape.regularization;
  MatView<float> dy = n.backward_from_loss(weights, window, gradients, noise);
  if (regularization.ar > 0) add_activation_penalty(n.workers, regularization.ar, n.outputs, dy);
  for (std::int64_t l = n.config.layers - 1; l >= 0; --l) {
    const MatView<float> dh = n.mix_backward(l, noise, dy);
    if (regularization.tar > 0 && l + 1 == n.config.layers) {
      const MatView<float> h = n.tapes.back().h.row_range(window.B, window.T * window.B);
      add_temporal_penalty(n.workers, regularization.tar, window.B, window.reset, h, dh);
    }
    const MatView<float> dx = n.other_than(dy, n.tapes[static_cast<std::size_t>(l)].x.cols);
    n.backward_layer(l, weights.layer(l), dh, gradients, dx, dstate0);
    if (n.config.residual && l > 0) n.add_rows(dy, dx);
    if (regularization.recurrent > 0) {
      const MatView<float> dW = gradients.layer(l).W;
      dropout_backward(n.workers, weight_drop_mask(regularization.recurrent, noise, l), dW, dW);
    }
    dy = dx;
  }
  n.embed_backward(window, noise, dy);
  gradients.add_embedding(n.workers, window.inputs, dy);
  double sum = 0;
  for (const double log_prob : n.log_probs) sum -= log_prob;
  return sum / mean_divisor(window);
}

}  // namespace unroll
