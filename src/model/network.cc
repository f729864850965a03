#include "model/network.h"

#include <algorithm>
#include <array>
#include <cassert>

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

bool has_cell_state(Cell cell) { return cell == Cell::kLstm; }
bool has_candidate(Cell cell) { return cell == Cell::kGru || cell == Cell::kGruResetBefore; }

std::int64_t inputs_of_layer(const NetworkConfig& config, std::int64_t l) {
  return l == 0 ? config.embed : config.hidden;
}

}  // namespace

NetworkWeights::NetworkWeights(const NetworkConfig& config, Purpose purpose, Precision precision)
    : config_(config), precision_(precision) {
  const bool training = purpose == Purpose::kTraining;
  for (std::int64_t l = 0; l < config.layers; ++l) {
    layers_.emplace_back(config.cell, inputs_of_layer(config, l), config.hidden, precision, training);
  }
  head_.V_out = PackedMatrix(config.hidden, config.vocabulary, precision);
  if (training) head_.V_out_back = PackedMatrix(config.vocabulary, config.hidden, precision);
}

void NetworkWeights::pack(const ParametersView& parameters, Workers& workers) {
  encoder_ = parameters.encoder;
  head_.bias = parameters.decoder_bias;
  PackedMatrix* const back = head_.V_out_back.bytes() > 0 ? &head_.V_out_back : nullptr;
  std::vector<PackingTask> tasks{{parameters.decoder, &head_.V_out, back}};
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    for (const PackingTask& task : layers_[l].take(config_.cell, parameters.layers[l])) tasks.push_back(task);
  }
  pack_all(workers, tasks);
}

std::int64_t NetworkWeights::bytes() const noexcept {
  std::int64_t sum = head_.V_out.bytes() + head_.V_out_back.bytes();
  for (const RecurrentWeights& layer : layers_) sum += layer.bytes();
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

// Where each activation lies in the one block; the same walk yields the table of sizes and, given memory, the views.
struct Layout {
  std::vector<PlannedBuffer> buffers;
  float* memory = nullptr;  // null: only sizes are wanted
  std::int64_t used = 0;

  MatView<float> take(const std::string& name, std::int64_t rows, std::int64_t cols) {
    constexpr std::int64_t kAlign = 16;  // floats
    const std::int64_t floats = (rows * cols + kAlign - 1) / kAlign * kAlign;
    if (buffers.empty() || buffers.back().name != name) buffers.push_back({name, 0});
    buffers.back().floats += floats;
    const MatView<float> view(memory == nullptr ? nullptr : memory + used, rows, cols);
    used += floats;
    return view;
  }
};

struct Activations {
  MatView<float> embedded;                      // (T*B, E)
  std::vector<RecurrentTape> tapes;             // one per layer; in inference they share memory
  std::vector<MatView<float>> dropped;          // (T*B, H) per layer: its output after dropout; empty without dropout
  MatView<float> logits;                        // (block, V)
  std::array<MatView<float>, 2> d_activations;  // (T*B, max(E, H)) training: gradients of a layer's output and input
  MatView<float> dh, dc, dh_products;           // (B, H)

  Activations(Layout& layout, const NetworkConfig& config, Purpose purpose, std::int64_t T, std::int64_t B) {
    const bool training = purpose == Purpose::kTraining;
    const std::int64_t H = config.hidden;
    embedded = layout.take("embedded symbols", T * B, config.embed);
    tapes.resize(static_cast<std::size_t>(config.layers));
    for (std::int64_t l = 0; l < config.layers; ++l) take_tape(layout, config, training, T, B, l);
    if (training && config.dropout > 0) {
      for (std::int64_t l = 0; l < config.layers; ++l)
        dropped.push_back(layout.take("outputs after dropout", T * B, H));
    }
    logits = layout.take("logits of one block of rows",
                         softmax_block_rows({.rows = T * B, .H = H, .V = config.vocabulary}), config.vocabulary);
    if (!training) return;
    for (MatView<float>& d : d_activations)
      d = layout.take("gradients of activations", T * B, std::max(config.embed, H));
    dh = layout.take("gradients of activations", B, H);
    dh_products = layout.take("gradients of activations", B, H);
    if (has_cell_state(config.cell)) dc = layout.take("gradients of activations", B, H);
  }

 private:
  // In inference a layer's gates are done with when the next begins; its outputs are that layer's inputs, so two sets
  // of states take turns.
  void take_tape(Layout& layout, const NetworkConfig& config, bool training, std::int64_t T, std::int64_t B,
                 std::int64_t l) {
    const std::int64_t H = config.hidden;
    const std::int64_t G = gate_count(config.cell);
    RecurrentTape& tape = tapes[static_cast<std::size_t>(l)];
    if (l == 0 || training) {
      tape.gates = layout.take("tape: gates", T * B, G * H);
      if (has_candidate(config.cell)) tape.candidate = layout.take("tape: gates", T * B, H);
    } else {
      tape.gates = tapes[0].gates;
      tape.candidate = tapes[0].candidate;
    }
    if (l < 2 || training) {
      tape.h = layout.take("tape: states", (T + 1) * B, H);
      if (has_cell_state(config.cell)) tape.c = layout.take("tape: states", (T + 1) * B, H);
    } else {
      tape.h = tapes[static_cast<std::size_t>(l % 2)].h;
      tape.c = tapes[static_cast<std::size_t>(l % 2)].c;
    }
    if (!has_recurrent_weights(config.cell)) return;
    if (training && config.layer_norm) tape.norm = take_norm_tape(layout, config, T, B);
    tape.products = l == 0 ? layout.take("recurrent products of one step", B, G * H) : tapes[0].products;
  }

  // What the layers' sweeps back sum in is done with when the next begins.
  RecurrentNormTape take_norm_tape(Layout& layout, const NetworkConfig& config, std::int64_t T, std::int64_t B) {
    const std::int64_t H = config.hidden;
    const std::int64_t G = gate_count(config.cell);
    const auto take = [&](std::int64_t rows, std::int64_t cols) {
      return layout.take("tape: layer normalisation", rows, cols);
    };
    RecurrentNormTape norm = tapes[0].norm;
    norm.input = {take(T * B, G * H), take(T * B, G)};
    norm.hidden = {take(T * B, G * H), take(T * B, G)};
    if (has_cell_state(config.cell)) norm.cell = {take(T * B, H), take(T * B, 1)};
    if (tapes[0].norm.dinput.cols > 0) return norm;
    norm.dinput = take(B, G * H);
    norm.dhidden = take(B, G * H);
    if (has_cell_state(config.cell)) {
      norm.dcell = take(B, H);
      norm.db_cell = take(B, H);
    }
    return norm;
  }
};

// The part of a planned buffer that a smaller window uses: the same memory, seen as contiguous rows.
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

}  // namespace

struct Network::Impl {
  NetworkConfig config;
  Purpose purpose;
  std::int64_t T, B;  // the largest window
  Workers& workers;
  FloatBuffer memory;
  Activations planned;
  std::vector<RecurrentTape> tapes;  // of the last window
  std::vector<double> log_probs;
  std::vector<SymbolPrediction> predictions;
  MatView<float> outputs;  // of the last window
  std::int64_t window_T = 0;
  std::int64_t window_B = 0;

  Impl(const NetworkConfig& network, Purpose why, std::int64_t steps, std::int64_t rows, Workers& team)
      : config(network),
        purpose(why),
        T(steps),
        B(rows),
        workers(team),
        memory(total(network, why, steps, rows)),
        planned(plan_into(memory.data(), network, why, steps, rows)),
        tapes(planned.tapes) {}

  static Activations plan_into(float* memory, const NetworkConfig& config, Purpose purpose, std::int64_t T,
                               std::int64_t B) {
    Layout layout;
    layout.memory = memory;
    return {layout, config, purpose, T, B};
  }

  static std::int64_t total(const NetworkConfig& config, Purpose purpose, std::int64_t T, std::int64_t B) {
    Layout layout;
    const Activations sizes(layout, config, purpose, T, B);
    return layout.used;
  }

  [[nodiscard]] bool drops(const DropoutKey& dropout) const {
    return purpose == Purpose::kTraining && dropout.probability > 0;
  }

  // Layer l on x, from and to its part of the state. Returns its outputs.
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

  [[nodiscard]] SoftmaxShape softmax_shape() const {
    return {.rows = window_T * window_B, .H = config.hidden, .V = config.vocabulary};
  }
};

Network::Network(const NetworkConfig& config, Purpose purpose, std::int64_t T, std::int64_t B, Workers& workers)
    : impl_(std::make_unique<Impl>(config, purpose, T, B, workers)) {}
Network::~Network() = default;

std::vector<PlannedBuffer> Network::plan(const NetworkConfig& config, Purpose purpose, std::int64_t T, std::int64_t B) {
  Layout layout;
  const Activations sizes(layout, config, purpose, T, B);
  return layout.buffers;
}

void Network::forward(const NetworkWeights& weights, const Window& window, NetworkState& state,
                      const DropoutKey& dropout) {
  Impl& n = *impl_;
  assert(window.T <= n.T && window.B <= n.B && window.B == state.B);
  n.window_T = window.T;
  n.window_B = window.B;
  const std::int64_t rows = window.T * window.B;
  const MatView<float> embedded = fit(n.planned.embedded, rows);
  embedding_forward(n.workers, weights.encoder(), window.inputs, embedded);
  if (n.drops(dropout)) dropout_forward(n.workers, dropout, 0, embedded, embedded);
  MatView<float> x = embedded;
  for (std::int64_t l = 0; l < n.config.layers; ++l) {
    x = n.forward_layer(l, weights.layer(l), x, window.reset, state);
    if (n.drops(dropout)) {
      const MatView<float> dropped = fit(n.planned.dropped[static_cast<std::size_t>(l)], rows);
      dropout_forward(n.workers, dropout, static_cast<std::uint32_t>(l + 1), x, dropped);
      x = dropped;
    }
  }
  n.outputs = x;
}

MatView<const float> Network::outputs() const noexcept { return impl_->outputs; }

std::span<const double> Network::log_probs(const NetworkWeights& weights, const Window& window) {
  Impl& n = *impl_;
  n.log_probs.resize(static_cast<std::size_t>(n.outputs.rows));
  softmax_loss(n.workers, n.softmax_shape(), weights.head(), n.outputs, window.targets, n.planned.logits, n.log_probs);
  return n.log_probs;
}

std::span<const SymbolPrediction> Network::predictions(const NetworkWeights& weights, const Window& window) {
  Impl& n = *impl_;
  n.predictions.resize(static_cast<std::size_t>(n.outputs.rows));
  softmax_predictions(n.workers, n.softmax_shape(), weights.head(), n.outputs, window.targets, n.planned.logits,
                      n.predictions);
  return n.predictions;
}

void Network::read_logits(const NetworkWeights& weights, const LogitsReader& read) {
  Impl& n = *impl_;
  softmax_logits(n.workers, n.softmax_shape(), weights.head(), n.outputs, n.planned.logits, read);
}

void Network::logits(const NetworkWeights& weights, std::int64_t row, std::span<float> out) {
  Impl& n = *impl_;
  const MatView<float> result(out.data(), 1, n.config.vocabulary);
  n.workers.run(1, [&](std::int64_t) {
    weights.head().V_out.multiply(n.outputs.row_range(row, 1), weights.head().bias, result);
  });
}

double Network::backward(const NetworkWeights& weights, const Window& window, const DropoutKey& dropout,
                         Gradients& gradients, NetworkState* dstate0) {
  Impl& n = *impl_;
  assert(n.purpose == Purpose::kTraining && window.predictions > 0);
  const std::int64_t rows = window.T * window.B;
  const bool drops = n.drops(dropout);
  const auto scale = static_cast<float>(1.0 / static_cast<double>(window.predictions));
  n.log_probs.resize(static_cast<std::size_t>(rows));
  std::size_t upper = 0;  // which of the two buffers holds the gradient of the present layer's output
  MatView<float> d_upper(n.planned.d_activations[upper].data, rows, n.config.hidden);
  softmax_loss_and_gradient(n.workers, n.softmax_shape(), weights.head(), n.outputs, window.targets, scale,
                            n.planned.logits, n.log_probs, gradients.decoder(), gradients.decoder_bias(), d_upper);
  const RecurrentGradientState dstate{.dh = fit(n.planned.dh, window.B),
                                      .dc = fit(n.planned.dc, window.B),
                                      .scratch = fit(n.planned.dh_products, window.B)};
  for (std::int64_t l = n.config.layers - 1; l >= 0; --l) {
    if (drops) dropout_backward(n.workers, dropout, static_cast<std::uint32_t>(l + 1), d_upper, d_upper);
    RecurrentTape& tape = n.tapes[static_cast<std::size_t>(l)];
    upper = 1 - upper;
    const MatView<float> d_lower(n.planned.d_activations[upper].data, rows, tape.x.cols);
    std::ranges::fill(dstate.dh.flat(), 0.0F);
    if (dstate.dc.data != nullptr) std::ranges::fill(dstate.dc.flat(), 0.0F);
    recurrent_backward(n.config.cell, n.workers, {window.T, window.B, tape.x.cols, n.config.hidden}, weights.layer(l),
                       tape, d_upper, gradients.layer(l), dstate, d_lower);
    if (dstate0 != nullptr) {
      const RecurrentState<float> out = dstate0->layer(l);
      std::ranges::copy(dstate.dh.flat(), out.h.data);
      if (out.c.data != nullptr) std::ranges::copy(dstate.dc.flat(), out.c.data);
    }
    d_upper = d_lower;
  }
  if (drops) dropout_backward(n.workers, dropout, 0, d_upper, d_upper);
  gradients.add_embedding(n.workers, window.inputs, d_upper);
  double sum = 0;
  for (const double log_prob : n.log_probs) sum -= log_prob;
  return sum / static_cast<double>(window.predictions);
}

}  // namespace unroll
