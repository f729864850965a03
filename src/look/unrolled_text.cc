#include "unroll/look/unrolled_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

#include "infer/condition.h"
#include "infer/inference.h"
#include "infer/predicted_text.h"
#include "infer/sequence.h"
#include "look/unrolled_data.h"
#include "model/model_file.h"
#include "nn/layer_norm.h"
#include "nn/recurrent_steps.h"
#include "text/reading.h"
#include "unroll/error.h"

namespace unroll {
namespace {

bool labels_texts(const Model& model) noexcept {
  const TaskKind kind = model.task().kind;
  return kind == TaskKind::kClassify || kind == TaskKind::kTag;
}

Model checked_model(Model model) {
  if (labels_texts(model)) {
    expect_task(model, model.task().kind);
    return model;
  }
  expect_language_model(model);
  if (!model.config().bidirectional && model.config().characters == 0) return model;
  throw Error(ErrorCode::kUsage,
              "the model reads whole texts, not each symbol after those before it: expected a language model of one "
              "direction");
}

// The texts that are labelled, as one row.
Window window_of_texts(const Model& model, const NamedText& text, const UnrolledTextOptions& options,
                       LabelSteps& labels) {
  static_cast<void>(condition_of(model, options.label));
  if (options.state == StatePolicy::kCarry) {
    throw Error(ErrorCode::kUsage, "`state` is carry, but the model labels texts, each of which begins from zero",
                "state");
  }
  if (options.change) {
    throw Error(ErrorCode::kUsage, "`change` is of language models, and the model labels texts", "change");
  }
  Window window;
  labels = read_label_steps(model, text, options, window);
  return window;
}

// The first steps of a text as one row.
Window window_of(const Model& model, const NamedText& text, const Reading& reading, const UnrolledTextOptions& options,
                 std::int64_t& unread, LabelSteps& labels) {
  if (options.most_steps < 1) {
    throw Error(ErrorCode::kUsage, fmt::format("`most_steps` is {}: expected 1 or more", options.most_steps),
                "most_steps");
  }
  if (labels_texts(model)) {
    Window window = window_of_texts(model, text, options, labels);
    unread = labels.unread;
    return window;
  }
  const EncodedText encoded = encode_to_predict(model.tokenizer(), text);
  const auto steps = std::min(encoded.ids.size(), static_cast<std::size_t>(options.most_steps));
  unread = static_cast<std::int64_t>(encoded.ids.size() - steps);
  SequenceSteps sequence(reading);
  Window window;
  set_sequence(sequence, std::span(encoded.ids).first(steps), window);
  begin_with(condition_of(model, options.label), window);
  return window;
}

Reading reading_of_text(const Model& model, const UnrolledTextOptions& options) {
  if (labels_texts(model)) return {.state = StatePolicy::kReset};
  return reading_of(model.tokenizer(), options.state ? *options.state : model.trained_state_policy(),
                    options.begin.value_or(model.begin_policy()));
}

MatView<float> matrix_of(const Parameters& parameters, const NetworkConfig& config, const WeightPlace& place) {
  if (place.matrix == SharedMatrix::kV) return parameters.decoder();
  if (place.matrix == SharedMatrix::kW && !has_recurrent_weights(config.cell)) {
    throw Error(ErrorCode::kUsage, "`change` names W, which this cell does not have", "change");
  }
  if (place.layer < 0 || place.layer >= config.layers) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`change` names layer {}: expected one from 0 to {}", place.layer, config.layers - 1),
                "change");
  }
  const RecurrentParams<float>& layer = parameters.layer(place.layer);
  return place.matrix == SharedMatrix::kU ? layer.U : layer.W;
}

float& number_at(const Parameters& parameters, const NetworkConfig& config, const WeightPlace& place) {
  const MatView<float> matrix = matrix_of(parameters, config, place);
  if (place.row < 0 || place.row >= matrix.rows || place.column < 0 || place.column >= matrix.cols) {
    throw Error(ErrorCode::kUsage,
                fmt::format("`change` names row {} and column {}: that matrix has rows 0 to {} and columns 0 to {}",
                            place.row, place.column, matrix.rows - 1, matrix.cols - 1),
                "change");
  }
  return matrix(place.row, place.column);
}

Parameters parameters_of(const Model& model, const std::optional<WeightChange>& change) {
  Parameters parameters(model.config());
  read_parameters(model.config(), model.data().weights.view(), parameters);
  if (!change) return parameters;
  if (!std::isfinite(static_cast<float>(change->value))) {
    throw Error(ErrorCode::kUsage, "`change` needs a finite number, as float32 has it", "change");
  }
  number_at(parameters, model.config(), change->place) = static_cast<float>(change->value);
  return parameters;
}

float sigmoid_of(float a) { return 1 / (1 + std::exp(-a)); }

// g of the minimal cells.
float positive_of(float a) { return a >= 0 ? a + 0.5F : sigmoid_of(a); }

std::span<const float> row_of(MatView<const float> rows, std::int64_t r) {
  if (rows.data == nullptr) return {};
  return {rows.row(r), static_cast<std::size_t>(rows.cols)};
}

void add_to(std::span<const float> x, std::span<float> y) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] += x[i];
}

// Whether the tape's gates are sums still.
bool keeps_sums(Cell cell) noexcept { return !has_recurrent_weights(cell); }

// U x + b of all gates at a step: the forward pass of the step, on a tape that keeps nothing.
std::vector<float> from_input(UnrolledText::Data& data, std::int64_t l, std::int64_t row) {
  const RecurrentTape& whole = data.tape(l);
  std::vector<float> sums(static_cast<std::size_t>(whole.gates.cols));
  RecurrentTape tape{.x = whole.x.row_range(row, 1),
                     .gates = {sums.data(), 1, std::ssize(sums)},
                     .h = {},
                     .c = {},
                     .candidate = {},
                     .products = {},
                     .reset = {}};
  const RecurrentShape shape{.T = 1, .B = 1, .E = whole.x.cols, .H = data.config().hidden};
  input_products_forward(data.workers, shape, data.weights.layers()[static_cast<std::size_t>(l)], tape);
  return sums;
}

// What the state before the step adds to them.
std::vector<float> from_state(UnrolledText::Data& data, std::int64_t l, std::int64_t row) {
  const Cell cell = data.config().cell;
  const std::int64_t H = data.config().hidden;
  const RecurrentTape& whole = data.tape(l);
  const RecurrentWeights& weights = data.weights.layers()[static_cast<std::size_t>(l)];
  const RecurrentShape shape{.T = 1, .B = 1, .E = whole.x.cols, .H = H};
  RecurrentTape tape{};
  const std::int64_t columns = cell == Cell::kGruResetBefore ? 2 * H : whole.gates.cols;
  std::vector<float> products(static_cast<std::size_t>(whole.gates.cols));
  const ShardStep step = shard_step(shape, {}, 0, 0, 1);
  const bool zero_before = !whole.reset.empty() && whole.reset[static_cast<std::size_t>(row)] != 0;
  if (!zero_before) {
    const MatView<float> first(products.data(), 1, columns);
    weights.W.multiply(whole.h.row_range(row, 1), {}, first);
    hidden_products_forward(shape, weights, tape, step, first);
    if (cell == Cell::kGruResetBefore) {
      const MatView<float> second(products.data() + 2 * H, 1, H);
      weights.W_candidate.multiply(whole.candidate.row_range(row, 1), {}, second);
      hidden_products_forward(shape, weights, tape, step, second, 2 * H);
    }
  }
  if (cell == Cell::kGru) {
    for (std::int64_t j = 0; j < H; ++j) {
      products[static_cast<std::size_t>(2 * H + j)] = whole.gates(row, j) * whole.candidate(row, j);
    }
  }
  return products;
}

void expect_finite_scores(MatView<const float> scores, const NamedText& text) {
  if (std::ranges::all_of(scores.flat(), [](float score) { return std::isfinite(score); })) return;
  throw Error(ErrorCode::kNumeric, text.name + ": the network's scores are NaN or infinite: its weights overflow");
}

// Of a text without predictions.
std::int32_t target_of(const Window& window, std::int64_t t) {
  return window.texts.empty() ? window.targets.at(static_cast<std::size_t>(t)) : kIgnored;
}

}  // namespace

void expect_predictions(const UnrolledText::Data& text) { expect_language_model(text.model); }

std::string layer_name(const NetworkConfig& config, std::int64_t layer) {
  if (!config.bidirectional) return fmt::format("{}", layer);
  return fmt::format("{} {}", layer / 2, layer % 2 == 0 ? "forward" : "backward");
}

std::string_view gate_letters(Cell cell) noexcept {
  switch (cell) {
    case Cell::kRnnTanh:
    case Cell::kRnnRelu:
      return "";
    case Cell::kLstm:
      return "ifgo";
    case Cell::kGru:
    case Cell::kGruResetBefore:
      return "rzn";
    case Cell::kMinGru:
      return "zn";
    case Cell::kMinLstm:
      return "fin";
  }
  return "";
}

std::int64_t unrolled_step_bytes(const NetworkConfig& config) noexcept {
  const std::int64_t layers = std::max<std::int64_t>(1, config.layers * directions(config));
  return 4 * (std::ssize(gate_letters(config.cell)) + 4) * config.hidden * layers;
}

UnrolledText::Data::AsRun::AsRun(const Model& model, const Window& window, Workers& workers)
    : weights(packed_weights(model, workers)), network(model.config(), Purpose::kInference, window.T, 1, workers) {
  NetworkState state(model.config(), 1);
  network.forward(weights, window, state);
}

UnrolledText::Data::Data(Model the_model, const NamedText& text, const UnrolledTextOptions& options)
    : model(checked_model(std::move(the_model))),
      policy(reading_of_text(model, options).state),
      window(window_of(model, text, reading_of_text(model, options), options, unread, labels)),
      workers(options.threads),
      parameters(parameters_of(model, options.change)),
      weights(config(), Purpose::kTraining),
      network(config(), Purpose::kTraining, window.T, 1, workers) {
  weights.pack(parameters, workers);
  NetworkState state(config(), 1);
  if (config().outputs > 0) {
    network.read_levels([this](std::int64_t number, MatView<const float> rows) {
      if (number == config().layers) outputs.assign(rows.flat().begin(), rows.flat().end());
    });
    network.forward(weights, window, state);
    network.read_levels({});
    expect_finite_scores(network.scores(weights), text);
    log_probs.assign(static_cast<std::size_t>(steps()), 0.0);
    return;
  }
  network.forward(weights, window, state);
  if (model.precision() != Precision::kF32 && !options.change) as_run = std::make_unique<AsRun>(model, window, workers);
  const std::span<const double> computed =
      as_run ? as_run->network.log_probs(as_run->weights, window) : network.log_probs(weights, window);
  log_probs.assign(computed.begin(), computed.end());
  for (const double log_prob : log_probs) {
    if (std::isfinite(log_prob)) continue;
    if (options.change) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("`change` to {} makes the network overflow: try a smaller number", options.change->value),
                  "change");
    }
    throw Error(
        ErrorCode::kNumeric,
        fmt::format("{}: the model's prediction is {}: its weights or its state overflowed", text.name, log_prob));
  }
}

UnrolledText::UnrolledText(Model model, const NamedText& text, const UnrolledTextOptions& options)
    : data_(std::make_unique<Data>(std::move(model), text, options)) {}
UnrolledText::~UnrolledText() = default;
UnrolledText::UnrolledText(UnrolledText&&) noexcept = default;
UnrolledText& UnrolledText::operator=(UnrolledText&&) noexcept = default;

const Model& UnrolledText::model() const noexcept { return data_->model; }
std::int64_t UnrolledText::steps() const noexcept { return data_->steps(); }
std::int64_t UnrolledText::unread_steps() const noexcept { return data_->unread; }
StatePolicy UnrolledText::state_policy() const noexcept { return data_->policy; }
std::int64_t UnrolledText::layers() const noexcept { return std::ssize(data_->network.tapes()); }
bool UnrolledText::predicts() const noexcept { return data_->labels.rows.empty(); }
std::span<const TextOfSteps> UnrolledText::texts() const noexcept { return data_->labels.texts; }
std::int32_t UnrolledText::input(std::int64_t t) const {
  return data_->window.inputs.at(static_cast<std::size_t>(data_->row(t)));
}
std::int32_t UnrolledText::target(std::int64_t t) const { return target_of(data_->window, t); }

std::string UnrolledText::reads(std::int64_t t) const {
  return predicts() ? std::string(data_->model.tokenizer().symbol(input(t)))
                    : data_->labels.read.at(static_cast<std::size_t>(t));
}

bool UnrolledText::begins(std::int64_t t) const { return data_->begins(t); }
std::span<const double> UnrolledText::log_probs() const noexcept { return data_->log_probs; }

std::vector<float> UnrolledText::logits(std::int64_t t) const {
  expect_predictions(*data_);
  std::vector<float> all(static_cast<std::size_t>(data_->config().vocabulary));
  if (data_->as_run) {
    data_->as_run->network.logits(data_->as_run->weights, t, all);
  } else {
    data_->network.logits(data_->weights, t, all);
  }
  return all;
}

std::vector<LikelySymbol> UnrolledText::likely(std::int64_t t, std::int64_t count) const {
  const std::vector<float> all = logits(t);
  const float highest = *std::ranges::max_element(all);
  double sum = 0;
  for (const float logit : all) sum += std::exp(static_cast<double>(logit) - static_cast<double>(highest));
  const double log_sum = static_cast<double>(highest) + std::log(sum);
  std::vector<std::int32_t> ids(all.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto kept = std::min(std::ssize(ids), std::max<std::int64_t>(count, 0));
  std::partial_sort(ids.begin(), ids.begin() + kept, ids.end(), [&](std::int32_t a, std::int32_t b) {
    const float of_a = all[static_cast<std::size_t>(a)];
    const float of_b = all[static_cast<std::size_t>(b)];
    return of_a != of_b ? of_a > of_b : a < b;
  });
  std::vector<LikelySymbol> first;
  for (const std::int32_t id : std::span(ids).first(static_cast<std::size_t>(kept))) {
    const float logit = all[static_cast<std::size_t>(id)];
    first.push_back({.id = id, .log_prob = static_cast<double>(logit) - log_sum, .logit = logit});
  }
  return first;
}

std::span<const float> UnrolledText::x(std::int64_t l, std::int64_t t) const {
  return row_of(data_->tape(l).x, data_->row(l, t));
}
std::span<const float> UnrolledText::h(std::int64_t l, std::int64_t t) const {
  return row_of(data_->tape(l).h, t < 0 ? 0 : data_->row(l, t) + 1);
}
std::span<const float> UnrolledText::c(std::int64_t l, std::int64_t t) const {
  return row_of(data_->tape(l).c, t < 0 ? 0 : data_->row(l, t) + 1);
}

std::vector<float> UnrolledText::gates(std::int64_t l, std::int64_t t) const {
  const Cell cell = data_->config().cell;
  if (gate_letters(cell).empty()) return {};
  const std::span<const float> kept = row_of(data_->tape(l).gates, data_->row(l, t));
  std::vector<float> gates(kept.begin(), kept.end());
  if (!keeps_sums(cell)) return gates;
  const std::size_t candidate = gates.size() - static_cast<std::size_t>(data_->config().hidden);
  for (std::size_t i = 0; i < gates.size(); ++i)
    gates[i] = i < candidate ? sigmoid_of(gates[i]) : positive_of(gates[i]);
  return gates;
}

std::vector<float> UnrolledText::sums(std::int64_t l, std::int64_t t) const {
  const RecurrentTape& whole = data_->tape(l);
  const std::span<const float> kept = row_of(whole.gates, data_->row(l, t));
  if (keeps_sums(data_->config().cell)) return {kept.begin(), kept.end()};
  std::vector<float> sums = from_input(*data_, l, data_->row(l, t));
  add_to(from_state(*data_, l, data_->row(l, t)), sums);
  return sums;
}

SumParts UnrolledText::parts(std::int64_t l, std::int64_t t) const {
  const std::vector<float>& bias = data_->weights.layers()[static_cast<std::size_t>(l)].bias;
  SumParts parts{.input = {}, .recurrent = {}, .bias = bias};
  if (keeps_sums(data_->config().cell)) {
    parts.input = sums(l, t);
    parts.recurrent.assign(parts.input.size(), 0);
  } else {
    parts.input = from_input(*data_, l, data_->row(l, t));
    parts.recurrent = from_state(*data_, l, data_->row(l, t));
  }
  for (std::size_t i = 0; i < bias.size(); ++i) parts.input[i] -= bias[i];
  return parts;
}

float UnrolledText::weight(const WeightPlace& place) const {
  return number_at(data_->parameters, data_->config(), place);
}

WeightPlace UnrolledText::largest_weight(SharedMatrix matrix) const {
  WeightPlace largest{.matrix = matrix};
  const MatView<float> numbers = matrix_of(data_->parameters, data_->config(), largest);
  for (std::int64_t row = 0; row < numbers.rows; ++row) {
    for (std::int64_t column = 0; column < numbers.cols; ++column) {
      if (std::abs(numbers(row, column)) <= std::abs(numbers(largest.row, largest.column))) continue;
      largest.row = row;
      largest.column = column;
    }
  }
  return largest;
}

std::span<const float> UnrolledText::embedding(std::int32_t symbol) const {
  const MatView<const float> rows = data_->parameters.encoder();
  if (symbol < 0 || symbol >= rows.rows) {
    throw Error(ErrorCode::kUsage,
                fmt::format("symbol {}: expected one from 0 to {}", symbol, data_->config().vocabulary - 1));
  }
  return row_of(rows, symbol);
}

}  // namespace unroll
