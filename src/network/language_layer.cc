#include "network/language_layer.h"

#include <algorithm>

#include "kernels/arrays.h"
#include "network/levels.h"
#include "nn/projection.h"

namespace unroll {
namespace {

// Rows of one direction, of D columns and of H.
void copy_direction(MatView<const float> from, std::int64_t column, MatView<float> to) {
  for (std::int64_t r = 0; r < to.rows; ++r) std::copy_n(from.row(r) + column, to.cols, to.row(r));
}

void add_direction(MatView<const float> from, std::int64_t column, MatView<float> to) {
  const auto H = static_cast<std::size_t>(from.cols);
  for (std::int64_t r = 0; r < from.rows; ++r) add({from.row(r), H}, {to.row(r) + column, H});
}

}  // namespace

NetworkConfig language_config(const NetworkConfig& config) {
  return {.cell = config.cell,
          .vocabulary = config.vocabulary,
          .embed = config.embed,
          .hidden = config.hidden,
          .tied = shares_embedding(config)};
}

ParametersView language_view(const ParametersView& parameters) {
  ParametersView view;
  view.decoder = parameters.encoder;
  view.decoder_bias = parameters.language_bias;
  return view;
}

std::int64_t set_language_targets(const Window& window, bool bidirectional, std::vector<std::int32_t>& targets) {
  const std::int64_t steps = window.T * window.B;
  targets.assign(static_cast<std::size_t>(bidirectional ? 2 * steps : steps), kIgnored);
  for (const WindowPiece& piece : window.pieces) {
    for (std::int64_t t = piece.first; t + 1 < piece.first + piece.steps; ++t) {
      const std::int64_t here = t * window.B + piece.row;
      const std::int64_t next = here + window.B;
      targets[static_cast<std::size_t>(here)] = window.inputs[static_cast<std::size_t>(next)];
      if (bidirectional) {
        targets[static_cast<std::size_t>(steps + next)] = window.inputs[static_cast<std::size_t>(here)];
      }
    }
  }
  return language_predictions(window, bidirectional);
}

std::int64_t language_predictions(const Window& window, bool bidirectional) noexcept {
  std::int64_t count = 0;
  for (const WindowPiece& piece : window.pieces) count += (bidirectional ? 2 : 1) * (piece.steps - 1);
  return count;
}

LanguageLayer::LanguageLayer(const ActivationShape& shape, LanguageActivations& planned, Workers& workers)
    : shape_(shape), config_(language_config(shape.config)), planned_(planned), workers_(workers) {}

double LanguageLayer::divisor() const noexcept { return static_cast<double>(std::max<std::int64_t>(1, predictions_)); }

void LanguageLayer::forward(const NetworkWeights& weights, const Window& window, MatView<float> outputs) {
  const bool both = shape_.config.bidirectional;
  predictions_ = set_language_targets(window, both, targets_);
  h_ = outputs;
  if (both) {
    h_ = fit(planned_.stacked, 2 * outputs.rows);
    copy_direction(outputs, 0, h_.row_range(0, outputs.rows));
    copy_direction(outputs, config_.hidden, h_.row_range(outputs.rows, outputs.rows));
  }
  inputs_ = h_;
  if (!has_projection(config_)) return;
  inputs_ = fit(planned_.projected, h_.rows);
  projection_forward(workers_, weights.projection(), h_, inputs_);
}

void LanguageLayer::set_log_probs(const NetworkWeights& weights, std::vector<double>& log_probs) {
  log_probs.resize(targets_.size());
  output_log_probs(workers_, config_, weights.language(), inputs_, targets_, planned_.output, log_probs);
}

void LanguageLayer::loss_and_gradient(const NetworkWeights& weights, const Window& window, double scale, NoiseKey noise,
                                      std::vector<double>& log_probs, Gradients& gradients, MatView<float> dy) {
  log_probs.resize(targets_.size());
  const auto share = static_cast<float>(scale / divisor());
  const OutputGradients of_layer = shape_.config.outputs > 0 ? gradients.language() : gradients.output();
  const MatView<float> dh = fit(planned_.d_stacked, h_.rows);
  const MatView<float> dinputs = has_projection(config_) ? fit(planned_.d_projected, h_.rows) : dh;
  if (shape_.samples > 0) {
    if (!sampled_) sampled_.emplace(config_, shape_.samples, weights.precision());
    output_sampled_loss_and_gradient(workers_, *sampled_, weights.language(), noise, inputs_, targets_, share,
                                     planned_.output, log_probs, of_layer, dinputs);
  } else {
    output_loss_and_gradient(workers_, config_, weights.language(), inputs_, targets_, share, planned_.output,
                             log_probs, of_layer, dinputs);
  }
  if (has_projection(config_)) {
    projection_backward(workers_, weights.projection(), h_, dinputs, gradients.matrices().projection, dh);
  }
  const std::int64_t steps = window.T * window.B;
  for (std::int64_t d = 0; d < directions(shape_.config); ++d) {
    add_direction(dh.row_range(d * steps, steps), d * config_.hidden, dy);
  }
}

}  // namespace unroll
