#include "network/network.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "kernels/arrays.h"
#include "network/label_layer.h"
#include "network/language_layer.h"
#include "network/word_characters.h"
#include "nn/activation_penalty.h"
#include "nn/embedding.h"
#include "nn/projection.h"

namespace unroll {
namespace {

// The sum of the weights of the window's predictions.
double prediction_weight(const Window& window) noexcept {
  double sum = window.weights.empty() ? static_cast<double>(window.predictions) : 0;
  for (std::size_t r = 0; r < window.weights.size(); ++r) {
    if (window.targets[r] != kIgnored) sum += static_cast<double>(window.weights[r]);
  }
  return sum;
}

// What a mean over the window's predictions is divided by.
double mean_divisor(const Window& window) noexcept {
  const double sum = prediction_weight(window);
  return sum > 0 ? sum : 1;
}

double weighted_sum(const Window& window, std::span<const double> losses) noexcept {
  double sum = 0;
  for (std::size_t r = 0; r < losses.size(); ++r) {
    sum += window.weights.empty() ? losses[r] : static_cast<double>(window.weights[r]) * losses[r];
  }
  return sum;
}

}  // namespace

struct Network::Impl {
  ActivationShape shape;
  const NetworkConfig& config;
  Workers& workers;
  FloatBuffer memory;
  Activations planned;
  Levels levels;
  std::optional<WordCharacters> characters;
  std::optional<LabelLayer> labels;
  std::optional<LanguageLayer> language;
  std::vector<double> log_probs;
  std::vector<double> losses;
  std::vector<SymbolPrediction> predictions;
  std::optional<SampledStep> sampled;  // made in the first backward with samples
  WindowPart part;                     // of the last window
  MatView<float> outputs;              // of its last level
  MatView<float> decoder_outputs;      // inputs of a language model's output layer: outputs, or their projection

  Impl(const ActivationShape& largest, Workers& team)
      : shape(largest),
        config(shape.config),
        workers(team),
        memory(Activations::planned_floats(shape)),
        planned(shape, memory.data()),
        levels(shape, planned.levels, team) {
    if (config.characters > 0) characters.emplace(shape, planned.characters, team);
    if (config.outputs > 0) labels.emplace(shape, planned.labels, team);
    if (predicts_texts(shape)) language.emplace(shape, planned.language, team);
  }

  [[nodiscard]] DropoutMask word_mask(NoiseKey noise) const {
    DropoutMask words = levels.mask(shape.regularization.words, noise, 0);
    words.purpose = RandomPurpose::kWordDropout;
    return words;
  }
  // Of vectors of texts: each text has its own.
  [[nodiscard]] DropoutMask readout_mask(NoiseKey noise) const {
    DropoutMask mask = levels.mask(shape.regularization.output, noise, config.layers);
    mask.rows = {.first = part.first_text};
    if (config.readout == Readout::kSteps) mask.probability = 0;
    return mask;
  }

  // The input of the first level.
  MatView<float> embed(const NetworkWeights& weights, const Window& window, NoiseKey noise) {
    const MatView<float> x = fit(planned.embedded, window.T * window.B);
    const MatView<float> symbols = x.col_range(0, config.embed);
    if (config.vocabulary == 0) {
      std::ranges::copy(window.numbers, x.data);
    } else {
      embedding_forward(workers, weights.encoder(), window.inputs, symbols);
      const DropoutMask words = word_mask(noise);
      if (words.probability > 0) word_dropout_forward(workers, words, window.inputs, symbols, symbols);
    }
    if (characters) {
      characters->forward(weights, window.characters, x.col_range(config.embed, 2 * config.character_hidden));
    }
    const DropoutMask input = levels.mask(shape.regularization.input, noise, 0);
    if (input.probability > 0) dropout_forward(workers, input, x, x);
    return x;
  }

  // Its backward, given dx. Adds to `gradients`.
  void embed_backward(const NetworkWeights& weights, const Window& window, NoiseKey noise, MatView<float> dx,
                      Gradients& gradients) {
    const DropoutMask input = levels.mask(shape.regularization.input, noise, 0);
    if (input.probability > 0) dropout_backward(workers, input, dx, dx);
    if (characters) {
      characters->backward(weights, window.characters, dx.col_range(config.embed, 2 * config.character_hidden),
                           gradients);
    }
    if (config.vocabulary == 0) return;
    const MatView<float> symbols = dx.col_range(0, config.embed);
    const DropoutMask words = word_mask(noise);
    if (words.probability > 0) word_dropout_backward(workers, words, window.inputs, symbols, symbols);
    gradients.add_embedding(workers, window.inputs, symbols);
  }

  // Computes the loss of a language model in log_probs, and returns the gradient of the last level's outputs, that of
  // each prediction times `scale`.
  MatView<float> backward_from_symbols(const NetworkWeights& weights, const Window& window, float scale,
                                       Gradients& gradients, NoiseKey noise) {
    log_probs.resize(window.targets.size());
    const MatView<float> d_inputs = levels.gradients(decoder_outputs.rows, decoder_outputs.cols);
    if (shape.samples > 0) {
      if (!sampled) sampled.emplace(config, shape.samples, weights.precision());
      output_sampled_loss_and_gradient(workers, *sampled, weights.output(), noise, decoder_outputs, window.targets,
                                       scale, planned.output, log_probs, gradients.output(), d_inputs);
    } else {
      output_loss_and_gradient(workers, config, weights.output(), decoder_outputs, window.targets, scale,
                               planned.output, log_probs, gradients.output(), d_inputs);
    }
    if (!has_projection(config)) return d_inputs;
    const MatView<float> dy = levels.other_than(d_inputs, config.hidden);
    projection_backward(workers, weights.projection(), outputs, d_inputs, gradients.matrices().projection, dy);
    return dy;
  }

  // The same for labels and numbers, in losses.
  MatView<float> backward_from_labels(const NetworkWeights& weights, const Window& window, Gradients& gradients,
                                      NoiseKey noise) {
    const auto scale = static_cast<float>(window.part.share / mean_divisor(window));
    losses.resize(window.targets.size());
    const MatView<float> dy = levels.gradients(outputs.rows, outputs.cols);
    labels->loss_and_gradient(weights, window, scale, losses, gradients, readout_mask(noise), dy);
    return dy;
  }

  // The same for symbols of whole texts alone, in log_probs.
  MatView<float> backward_from_texts(const NetworkWeights& weights, const Window& window, Gradients& gradients,
                                     NoiseKey noise) {
    const MatView<float> dy = levels.gradients(outputs.rows, outputs.cols);
    std::ranges::fill(dy.flat(), 0.0F);
    language->loss_and_gradient(weights, window, window.part.share, noise, log_probs, gradients, dy);
    return dy;
  }

  // Sets the gradient of the last level's outputs. Returns the loss.
  double backward_from_outputs(const NetworkWeights& weights, const Window& window, Gradients& gradients,
                               NoiseKey noise, MatView<float>& dy) {
    if (labels) {
      dy = backward_from_labels(weights, window, gradients, noise);
      const double weight = window.part.share * shape.regularization.language;
      if (language) language->loss_and_gradient(weights, window, weight, noise, log_probs, gradients, dy);
      return weighted_sum(window, losses) / mean_divisor(window);
    }
    const auto scale = static_cast<float>(window.part.share / mean_divisor(window));
    dy = language ? backward_from_texts(weights, window, gradients, noise)
                  : backward_from_symbols(weights, window, scale, gradients, noise);
    double sum = 0;
    for (const double log_prob : log_probs) sum -= log_prob;
    return sum / (language ? language->divisor() : mean_divisor(window));
  }

  // Sets the states of rows that have a condition.
  void begin_conditions(const NetworkWeights& weights, const Window& window, NetworkState& state) const {
    for_each_condition(window, [&](std::int64_t b, std::int64_t l, std::size_t first) {
      const ConditionParams<const float>& level = weights.conditions()[static_cast<std::size_t>(l)];
      const RecurrentState<float> rows = state.layer(l);
      std::copy_n(level.h.begin() + static_cast<std::ptrdiff_t>(first), config.hidden, rows.h.row(b));
      if (rows.c.data != nullptr) {
        std::copy_n(level.c.begin() + static_cast<std::ptrdiff_t>(first), config.hidden, rows.c.row(b));
      }
    });
  }

  // Its backward: adds the gradient of the states that rows began with, of which those before the window have none.
  void conditions_backward(const Window& window, NetworkState& dstate0, Gradients& gradients) const {
    const auto H = static_cast<std::size_t>(config.hidden);
    for_each_condition(window, [&](std::int64_t b, std::int64_t l, std::size_t first) {
      const ConditionParams<float>& level = gradients.matrices().conditions[static_cast<std::size_t>(l)];
      const RecurrentState<float> rows = dstate0.layer(l);
      add({rows.h.row(b), H}, level.h.subspan(first, H));
      std::fill_n(rows.h.row(b), H, 0.0F);
      if (rows.c.data == nullptr) return;
      add({rows.c.row(b), H}, level.c.subspan(first, H));
      std::fill_n(rows.c.row(b), H, 0.0F);
    });
  }

  // Calls visit(row, level, place of the row of the label in the level's list).
  template <class Visit>
  void for_each_condition(const Window& window, const Visit& visit) const {
    for (std::int64_t b = 0; b < std::ssize(window.conditions); ++b) {
      const std::int32_t label = window.conditions[static_cast<std::size_t>(b)];
      if (label == kIgnored) continue;
      for (std::int64_t l = 0; l < config.layers; ++l) visit(b, l, static_cast<std::size_t>(label * config.hidden));
    }
  }
};

double loss_weight(const NetworkConfig& config, const Window& window) noexcept {
  const bool of_texts = config.outputs == 0 && config.bidirectional;
  return of_texts ? static_cast<double>(language_predictions(window, true)) : prediction_weight(window);
}

bool levels_stay(const NetworkConfig& config, const Regularization& regularization) noexcept {
  return config.conditions == 0 && regularization.recurrent == 0;
}

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
  assert(window.B <= n.shape.B && window.T * window.B <= n.shape.T * n.shape.B && window.B == state.B);
  n.part = window.part;
  n.levels.begin({window.T, window.B}, window.part);
  n.begin_conditions(weights, window, state);
  n.outputs = n.levels.forward(weights.layers(), n.embed(weights, window, noise), window.reset, state, noise);
  if (n.language) n.language->forward(weights, window, n.outputs);
  if (n.labels) return n.labels->forward(weights, window, n.outputs, n.readout_mask(noise));
  if (n.language) return;
  n.decoder_outputs = n.outputs;
  if (!has_projection(n.config)) return;
  n.decoder_outputs = fit(n.planned.projected, n.outputs.rows);
  projection_forward(n.workers, weights.projection(), n.outputs, n.decoder_outputs);
}

MatView<const float> Network::inputs() const noexcept { return fit(impl_->planned.embedded, impl_->outputs.rows); }

void Network::read_levels(LevelReader read) { impl_->levels.read_with(std::move(read)); }

MatView<const float> Network::outputs() const noexcept {
  return impl_->labels ? impl_->labels->inputs() : impl_->decoder_outputs;
}

std::span<const double> Network::log_probs(const NetworkWeights& weights, const Window& window) {
  Impl& n = *impl_;
  if (n.language) {
    n.language->set_log_probs(weights, n.log_probs);
    return n.log_probs;
  }
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
  read_logits(weights, impl_->decoder_outputs.rows, read);
}

void Network::read_logits(const NetworkWeights& weights, std::int64_t rows, const LogitsReader& read) {
  Impl& n = *impl_;
  output_logits(n.workers, n.config, weights.output(), n.decoder_outputs.row_range(0, rows), n.planned.output, read);
}

void Network::logits(const NetworkWeights& weights, std::int64_t row, std::span<float> out) {
  Impl& n = *impl_;
  output_logits(n.workers, n.config, weights.output(), n.decoder_outputs.row_range(row, 1), n.planned.output,
                [&](std::int64_t, std::span<float> logits) { std::ranges::copy(logits, out.begin()); });
}

MatView<const float> Network::scores(const NetworkWeights& weights) { return impl_->labels->scores(weights); }

std::span<const double> Network::losses(const NetworkWeights& weights, const Window& window) {
  Impl& n = *impl_;
  n.losses.resize(window.targets.size());
  n.labels->losses(weights, window, n.losses);
  return n.losses;
}

double Network::backward(const NetworkWeights& weights, const Window& window, Gradients& gradients, NoiseKey noise,
                         NetworkState* dstate0, const GradientsReady& ready) {
  Impl& n = *impl_;
  assert(n.shape.purpose == Purpose::kTraining);
  MatView<float> dy;
  const double loss = n.backward_from_outputs(weights, window, gradients, noise, dy);
  if (ready) ready(n.config.layers);
  const double penalty = window.part.share * n.shape.regularization.ar;
  if (penalty > 0) add_activation_penalty(n.workers, penalty, n.outputs, dy);
  std::optional<NetworkState> own_dstate0;
  if (dstate0 == nullptr && !window.conditions.empty()) dstate0 = &own_dstate0.emplace(n.config, window.B);
  dy = n.levels.backward(weights.layers(), dy, gradients.matrices().layers, noise, dstate0,
                         levels_stay(n.config, n.shape.regularization) ? ready : GradientsReady());
  if (dstate0 != nullptr && !window.conditions.empty()) n.conditions_backward(window, *dstate0, gradients);
  n.embed_backward(weights, window, noise, dy, gradients);
  return loss;
}

std::span<const RecurrentTape> Network::tapes() const noexcept { return impl_->levels.tapes(); }

MatView<const float> Network::output_gradients(const NetworkWeights& weights, const Window& window, float scale,
                                               Gradients& gradients) {
  assert(impl_->shape.purpose == Purpose::kTraining && !impl_->labels && !impl_->language);
  return impl_->backward_from_symbols(weights, window, scale, gradients, {});
}

MatView<const float> Network::output_gradients(const NetworkWeights& weights, const Window& window,
                                               MatView<float> dscores, Gradients& gradients) {
  Impl& n = *impl_;
  assert(n.shape.purpose == Purpose::kTraining);
  const MatView<float> dy = n.levels.gradients(n.outputs.rows, n.outputs.cols);
  n.labels->backward(weights, window, dscores, gradients, n.readout_mask({}), dy);
  return dy;
}

MatView<const float> Network::input_gradients(const NetworkWeights& weights, const Window& window,
                                              MatView<float> dscores, Gradients& gradients) {
  Impl& n = *impl_;
  static_cast<void>(output_gradients(weights, window, dscores, gradients));
  const MatView<float> dy = n.levels.gradients(n.outputs.rows, n.outputs.cols);
  return n.levels.backward(weights.layers(), dy, gradients.matrices().layers, {}, nullptr);
}

}  // namespace unroll
