#include "unroll/gradcheck.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <span>
#include <utility>

#include "base/philox.h"
#include "network/gradients.h"
#include "network/network.h"
#include "network/random_windows.h"
#include "network/ref/network.h"
#include "nn/dropout.h"
#include "nn/ref/complex_step.h"
#include "unroll/error.h"

namespace unroll {
namespace {

using Complex = std::complex<double>;

// Tensors in one flat vector: all parameters as ref::network_params lays them out, then each layer's h_0 (and c_0).
struct Slice {
  std::string name;
  std::int64_t offset = 0;
  std::int64_t size = 0;
};

// The point of the check. Values are random floats, exact in every arithmetic.
struct Point {
  NetworkConfig config;
  Window window;
  std::vector<Slice> slices;
  std::vector<float> values;  // slices
  Regularization regularization;
  NoiseKey noise;
  std::vector<std::vector<float>> masks;         // factors of dropout, per connection
  std::vector<std::int64_t> masked_rows;         // of each
  std::vector<std::vector<float>> weight_masks;  // factors of weight-drop, per layer
};

void check_options(const GradientCheckOptions& options) {
  check(options.config);
  check(options.regularization);
  for (const auto& [name, size] : {std::pair("steps", options.steps), std::pair("rows", options.rows)}) {
    if (size < 1) throw Error(ErrorCode::kUsage, fmt::format("{} is {}: expected at least 1", name, size));
  }
  // A few minutes.
  constexpr double kMostProducts = 1e11;
  const auto parameters = static_cast<double>(parameter_count(options.config));
  const double products = parameters * static_cast<double>(multiplied_weights(options.config)) *
                          static_cast<double>(options.steps) * static_cast<double>(options.rows);
  if (products > kMostProducts) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("a gradient check of {} parameters over {} steps of {} rows takes {:.1e} products, because it "
                    "runs the network forward once for each parameter: expected at most {:.0e}; make the "
                    "network or the window smaller",
                    parameters, options.steps, options.rows, products, kMostProducts));
  }
}

std::vector<Slice> slices_of(const NetworkConfig& config, std::int64_t rows) {
  std::vector<Slice> slices;
  const auto append = [&slices](std::string name, std::int64_t size) {
    slices.push_back({std::move(name), slices.empty() ? 0 : slices.back().offset + slices.back().size, size});
  };
  for (const ParameterTensor& tensor : parameter_tensors(config)) append(tensor.name, tensor.size);
  if (reads_whole_texts(config)) return slices;  // whole texts begin with zero states
  for (std::int64_t l = 0; l < config.layers; ++l) {
    append(fmt::format("h_0 of layer {}", l), rows * config.hidden);
    if (has_cell_state(config.cell)) append(fmt::format("c_0 of layer {}", l), rows * config.hidden);
  }
  return slices;
}

// The factors of a mask: dropout of ones.
template <class Drop>
std::vector<float> dropped_ones(std::int64_t rows, std::int64_t cols, const Drop& drop) {
  std::vector<float> ones(static_cast<std::size_t>(rows * cols), 1.0F);
  drop(MatView<float>(ones.data(), rows, cols));
  return ones;
}

// The mask of connection number `connection`: 0 is what enters the first level, l + 1 the output of level l.
DropoutMask mask_of(const Point& point, std::int64_t connection) {
  const Regularization& r = point.regularization;
  const bool is_input = connection == 0;
  const bool is_output = connection == point.config.layers;
  const bool of_texts = is_output && point.config.readout != Readout::kSteps;
  return {.probability = is_input ? r.input : (is_output ? r.output : r.between),
          .key = point.noise,
          .index = static_cast<std::uint32_t>(connection),
          .rows = r.locked && !of_texts ? MaskRows{.B = point.window.B, .all = point.window.B, .locked = true}
                                        : MaskRows()};
}

// Rows and columns of what the mask of a connection multiplies.
std::pair<std::int64_t, std::int64_t> masked_size(const Point& point, std::int64_t connection) {
  const NetworkConfig& config = point.config;
  const std::int64_t rows = point.window.T * point.window.B;
  if (connection == 0) return {rows, level_inputs(config, 0)};
  if (connection < config.layers || config.readout == Readout::kSteps) return {rows, level_outputs(config)};
  return {std::ssize(point.window.texts), decoder_inputs(config)};
}

// Of what enters the first level, of each level's outputs, and of W of each layer.
void draw_masks(Point& point, Workers& workers) {
  const NetworkConfig& config = point.config;
  for (std::int64_t connection = 0; connection <= config.layers; ++connection) {
    const auto [rows, cols] = masked_size(point, connection);
    const auto drop = [&](MatView<float> ones) {
      dropout_forward(workers, mask_of(point, connection), ones, ones);
      if (connection > 0 || config.vocabulary == 0) return;
      const DropoutMask words{
          .probability = point.regularization.words, .key = point.noise, .purpose = RandomPurpose::kWordDropout};
      const MatView<float> symbols = ones.col_range(0, config.embed);
      word_dropout_forward(workers, words, point.window.inputs, symbols, symbols);
    };
    point.masks.push_back(dropped_ones(rows, cols, drop));
    point.masked_rows.push_back(rows);
  }
  for (std::int64_t layer = 0; layer < config.layers * directions(config); ++layer) {
    const DropoutMask mask = weight_drop_mask(point.regularization.recurrent, point.noise, layer);
    point.weight_masks.push_back(
        dropped_ones(gate_count(config.cell) * config.hidden, config.hidden,
                     [&](MatView<float> ones) { dropout_forward(workers, mask, ones, ones); }));
  }
}

// Wide layers get smaller weights, so that they do not saturate, which would make all derivatives close to zero.
Point random_point(const GradientCheckOptions& options, Workers& workers) {
  RandomNumbers random(options.seed);
  const NetworkConfig& config = options.config;
  Point point{.config = config,
              .window = random_window(config, options.steps, options.rows, random),
              .slices = slices_of(config, options.rows),
              .values = {},
              .regularization = options.regularization,
              .noise = {.seed = options.seed, .step = 0},
              .masks = {},
              .masked_rows = {},
              .weight_masks = {}};
  const float weight_scale = std::min(1.0F, 2 / std::sqrt(static_cast<float>(config.hidden)));
  for (const Slice& slice : point.slices) {
    const bool is_recurrent_weight = slice.name.find("rnn.weight") != std::string::npos;
    for (std::int64_t i = 0; i < slice.size; ++i) {
      point.values.push_back(random.next() * (is_recurrent_weight ? weight_scale : 1.0F));
    }
  }
  draw_masks(point, workers);
  return point;
}

template <class S>
ref::Matrix<S> as_matrix(const std::vector<float>& mask, std::int64_t rows) {
  ref::Matrix<S> matrix(rows, std::ssize(mask) / rows);
  std::ranges::copy(mask, matrix.values.begin());
  return matrix;
}

template <class S>
ref::Window<S> reference_window(const Point& point) {
  const Window& window = point.window;
  ref::Window<S> reference{.T = window.T,
                           .B = window.B,
                           .inputs = window.inputs,
                           .targets = window.targets,
                           .reset = window.reset,
                           .masks = {},
                           .weight_masks = {},
                           .ar = point.regularization.ar,
                           .tar = point.regularization.tar,
                           .label_smoothing = point.regularization.label_smoothing,
                           .language = point.regularization.language,
                           .task = &window};
  for (std::size_t i = 0; i < point.masks.size(); ++i) {
    reference.masks.push_back(as_matrix<S>(point.masks[i], point.masked_rows[i]));
  }
  for (const std::vector<float>& mask : point.weight_masks) {
    reference.weight_masks.push_back(as_matrix<S>(mask, gate_count(point.config.cell) * point.config.hidden));
  }
  return reference;
}

// The reference's forward at `values`, and its tape.
template <class S>
struct ReferenceRun {
  ReferenceRun(const Point& point, std::span<const S> values)
      : params(ref::network_params(point.config, values.data())), window(reference_window<S>(point)) {
    auto next = values.begin() + parameter_count(point.config);
    for (std::int64_t l = 0; l < point.config.layers * directions(point.config); ++l) {
      state0.push_back(ref::zero_state<S>(point.config.cell, window.B, point.config.hidden));
      if (reads_whole_texts(point.config)) continue;
      for (S& h : state0.back().h.values) h = *next++;
      for (S& c : state0.back().c.values) c = *next++;
    }
    loss = ref::network_forward(point.config, params, window, state0, tape, state1);
  }

  ref::NetworkParams<const S> params;
  ref::Window<S> window;
  std::vector<ref::State<S>> state0;
  std::vector<ref::State<S>> state1;
  ref::NetworkTape<S> tape;
  S loss{};
};

std::vector<double> complex_step_gradient(const Point& point) {
  std::vector<Complex> values(point.values.begin(), point.values.end());
  return ref::complex_step_gradient(
      std::span(values), [&] { return ReferenceRun<Complex>(point, std::span<const Complex>(values)).loss; });
}

// Backpropagation in plain loops, in the arithmetic of S.
template <class S>
std::vector<S> reference_gradient(const Point& point) {
  const std::vector<S> values(point.values.begin(), point.values.end());
  const ReferenceRun<S> run(point, std::span<const S>(values));
  std::vector<ref::State<S>> nothing_follows;
  for (const ref::State<S>& state : run.state1) {
    nothing_follows.push_back({ref::Matrix<S>(state.h.rows, state.h.cols), ref::Matrix<S>(state.c.rows, state.c.cols)});
  }
  std::vector<S> gradient(static_cast<std::size_t>(parameter_count(point.config)));
  std::vector<ref::State<S>> dstate0;
  ref::network_backward(point.config, run.params, run.window, run.tape, nothing_follows,
                        ref::network_params(point.config, gradient.data()), dstate0);
  if (reads_whole_texts(point.config)) return gradient;
  for (const ref::State<S>& state : dstate0) {
    gradient.insert(gradient.end(), state.h.values.begin(), state.h.values.end());
    gradient.insert(gradient.end(), state.c.values.begin(), state.c.values.end());
  }
  return gradient;
}

// The numbers of `state` in the order of the slices.
std::vector<float*> state_places(const NetworkConfig& config, const NetworkState& state) {
  std::vector<float*> places;
  if (reads_whole_texts(config)) return places;
  for (std::int64_t l = 0; l < config.layers; ++l) {
    const RecurrentState<float> layer = state.layer(l);
    for (float& h : layer.h.flat()) places.push_back(&h);
    for (float& c : layer.c.flat()) places.push_back(&c);
  }
  return places;
}

std::vector<float> production_gradient(const Point& point, Workers& workers) {
  Parameters parameters(point.config);
  Gradients gradients(point.config, point.window.T * point.window.B);
  NetworkState state(point.config, point.window.B);
  NetworkState dstate0(point.config, point.window.B);
  auto next = point.values.begin();
  for (const ParameterTensor& tensor : parameters.tensors()) {
    std::copy_n(next, tensor.size, parameters.values(tensor).begin());
    next += tensor.size;
  }
  for (float* const place : state_places(point.config, state)) *place = *next++;

  NetworkWeights weights(point.config, Purpose::kTraining, Precision::kF32, point.regularization.recurrent);
  weights.pack(parameters, workers, point.noise);
  Network network(point.config, Purpose::kTraining, point.window.T, point.window.B, workers, point.regularization);
  network.forward(weights, point.window, state, point.noise);
  network.backward(weights, point.window, gradients, point.noise, &dstate0);

  Parameters all(point.config);
  gradients.copy_to(all);
  std::vector<float> gradient;
  for (const ParameterTensor& tensor : all.tensors()) {
    const std::span<const float> values = all.values(tensor);
    gradient.insert(gradient.end(), values.begin(), values.end());
  }
  for (const float* const place : state_places(point.config, dstate0)) gradient.push_back(*place);
  return gradient;
}

template <class T>
std::span<const T> part(const std::vector<T>& all, const Slice& slice) {
  return std::span(all).subspan(static_cast<std::size_t>(slice.offset), static_cast<std::size_t>(slice.size));
}

// The errors that rounding to float causes in plain loops: the largest of a few points so close that their derivatives
// are alike, but not what is rounded.
std::vector<double> rounding_errors(const GradientCheckOptions& options, Point point) {
  constexpr int kPoints = 4;
  constexpr float kDistance = 0x1p-18F;
  RandomNumbers random(options.seed);
  std::vector<double> errors(point.slices.size());
  for (int i = 0; i < kPoints; ++i) {
    const std::vector<double> exact = reference_gradient<double>(point);
    const std::vector<float> rounded = reference_gradient<float>(point);
    for (std::size_t k = 0; k < errors.size(); ++k) {
      const Slice& slice = point.slices[k];
      errors[k] = std::max(errors[k], ref::relative_error(part(rounded, slice), part(exact, slice)));
    }
    for (float& value : point.values) value += value * kDistance * random.next();
  }
  return errors;
}

}  // namespace

GradientErrorBounds error_bounds(const TensorGradientError& tensor) noexcept {
  constexpr double kDoubleOfFloat = 0x1p-29;  // the ratio of their rounding errors
  if (!std::isfinite(tensor.rounding)) return {};
  const double rounding = GradientErrorBounds::kRoundingFactor * tensor.rounding;
  return {.reference = std::max(GradientErrorBounds::kReference, kDoubleOfFloat * rounding),
          .production = std::max(GradientErrorBounds::kProduction, rounding)};
}

bool is_within_bounds(const TensorGradientError& tensor) noexcept {
  const GradientErrorBounds bounds = error_bounds(tensor);
  return tensor.reference <= bounds.reference && tensor.production <= bounds.production;
}

std::vector<TensorGradientError> check_gradients(const GradientCheckOptions& options) {
  check_options(options);
  Workers workers(1);
  const Point point = random_point(options, workers);
  const std::vector<double> expected = complex_step_gradient(point);
  const std::vector<double> reference = reference_gradient<double>(point);
  const std::vector<float> production = production_gradient(point, workers);
  const std::vector<double> rounding = rounding_errors(options, point);
  std::vector<TensorGradientError> errors;
  for (std::size_t k = 0; k < point.slices.size(); ++k) {
    const Slice& slice = point.slices[k];
    errors.push_back({.name = slice.name,
                      .elements = slice.size,
                      .reference = ref::relative_error(part(reference, slice), part(expected, slice)),
                      .production = ref::relative_error(part(production, slice), part(expected, slice)),
                      .rounding = rounding[k]});
  }
  return errors;
}

}  // namespace unroll
