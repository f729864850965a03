#include "network/label_layer.h"

#include <algorithm>

#include "nn/recurrent_steps.h"
#include "nn/task_losses.h"
#include "nn/text_steps.h"

namespace unroll {
namespace {

template <class T>
CrfParams<T> crf_params(const CrfTables<T>& tables, std::int64_t K) {
  return {.transitions = {tables.transitions.data(), K, K}, .start = tables.start, .end = tables.end};
}

// The entry t*B+b of the first step of a text.
std::size_t first_step(const Window& window, const WindowText& text) {
  return static_cast<std::size_t>(TextSteps(window.B, window.pieces, text).first());
}

template <class T>
MatView<const T> wanted_of(const std::vector<T>& wanted, MatView<const float> y) {
  return {wanted.data(), y.rows, y.cols};
}

// The losses of rows without a chain; 0 where the target is ignored.
void row_losses(Workers& workers, Loss loss, MatView<const float> y, const Window& window, std::span<double> losses) {
  if (loss == Loss::kSoftmax) return softmax_losses(workers, y, window.targets, losses);
  if (loss == Loss::kSigmoid) {
    sigmoid_losses(workers, y, wanted_of(window.wanted_labels, y), losses);
  } else {
    squared_losses(workers, y, wanted_of(window.wanted_numbers, y), losses);
  }
  for (std::size_t r = 0; r < losses.size(); ++r) {
    if (window.targets[r] == kIgnored) losses[r] = 0;
  }
}

void row_losses_and_gradients(Workers& workers, Loss loss, double smoothing, MatView<float> y, const Window& window,
                              std::span<const float> weights, std::span<double> losses) {
  if (loss == Loss::kSoftmax) {
    softmax_losses_and_gradients(workers, y, window.targets, weights, smoothing, losses);
  } else if (loss == Loss::kSigmoid) {
    sigmoid_losses_and_gradients(workers, y, wanted_of(window.wanted_labels, y), weights, losses);
  } else {
    squared_losses_and_gradients(workers, y, wanted_of(window.wanted_numbers, y), weights, losses);
  }
}

// What each row's loss is multiplied by; 0 where the target is ignored.
std::vector<float> scaled_weights(const Window& window, float scale) {
  std::vector<float> weights(window.targets.size(), scale);
  for (std::size_t r = 0; r < weights.size(); ++r) {
    if (!window.weights.empty()) weights[r] *= window.weights[r];
    if (window.targets[r] == kIgnored) weights[r] = 0;
  }
  return weights;
}

}  // namespace

LabelLayer::LabelLayer(const ActivationShape& shape, LabelActivations& planned, Workers& workers)
    : shape_(shape), planned_(planned), workers_(workers) {}

PoolingShape LabelLayer::pooled(const Window& window) const {
  return {.readout = shape_.config.readout,
          .B = window.B,
          .D = level_outputs(shape_.config),
          .bidirectional = shape_.config.bidirectional,
          .pieces = window.pieces,
          .texts = window.texts};
}

CrfShape LabelLayer::chain(const Window& window) const {
  return {.B = window.B, .K = shape_.config.outputs, .pieces = window.pieces, .texts = window.texts};
}

void LabelLayer::forward(const NetworkWeights& weights, const Window& window, MatView<float> outputs,
                         const DropoutMask& mask) {
  outputs_ = outputs;
  inputs_ = outputs;
  if (!pools()) return;
  inputs_ = fit(planned_.pooled, std::ssize(window.texts));
  pooling_forward(workers_, pooled(window), weights.attention(), outputs, planned_.pooling, inputs_);
  if (mask.probability > 0) dropout_forward(workers_, mask, inputs_, inputs_);
}

MatView<float> LabelLayer::scores(const NetworkWeights& weights) {
  const MatView<float> y = fit(planned_.scores, inputs_.rows);
  multiply_rows(workers_, inputs_, weights.output().head.V_out, weights.output().head.bias, y);
  return y;
}

void LabelLayer::losses(const NetworkWeights& weights, const Window& window, std::span<double> losses) {
  const MatView<float> y = scores(weights);
  const Loss loss = shape_.config.loss;
  if (loss != Loss::kCrf) return row_losses(workers_, loss, y, window, losses);
  std::vector<double> log_probs(window.texts.size());
  crf_log_probs(workers_, chain(window), crf_params(weights.crf(), y.cols), y, window.targets, chain_, log_probs);
  set_text_losses(window, log_probs, losses);
}

void LabelLayer::loss_and_gradient(const NetworkWeights& weights, const Window& window, float scale,
                                   std::span<double> losses, Gradients& gradients, const DropoutMask& mask,
                                   MatView<float> dy) {
  const MatView<float> y = scores(weights);
  const std::vector<float> scaled = scaled_weights(window, scale);
  const Loss loss = shape_.config.loss;
  if (loss == Loss::kCrf) {
    std::vector<double> log_probs(window.texts.size());
    std::vector<float> of_texts;
    for (const WindowText& text : window.texts) of_texts.push_back(scaled[first_step(window, text)]);
    zero_idle_rows(window, y);
    crf_loss_and_gradient(workers_, chain(window), crf_params(weights.crf(), y.cols), y, window.targets, of_texts,
                          chain_, log_probs, crf_params(gradients.matrices().crf, y.cols));
    set_text_losses(window, log_probs, losses);
  } else {
    row_losses_and_gradients(workers_, loss, shape_.regularization.label_smoothing, y, window, scaled, losses);
  }
  backward(weights, window, y, gradients, mask, dy);
}

void LabelLayer::set_text_losses(const Window& window, std::span<const double> log_probs, std::span<double> losses) {
  std::ranges::fill(losses, 0.0);
  for (std::size_t r = 0; r < log_probs.size(); ++r) losses[first_step(window, window.texts[r])] = -log_probs[r];
}

void LabelLayer::zero_idle_rows(const Window& window, MatView<float> y) {
  for (std::size_t r = 0; r < window.targets.size(); ++r) {
    if (window.targets[r] == kIgnored) std::fill_n(y.row(static_cast<std::int64_t>(r)), y.cols, 0.0F);
  }
}

void LabelLayer::backward(const NetworkWeights& weights, const Window& window, MatView<float> dscores,
                          Gradients& gradients, const DropoutMask& mask, MatView<float> dy) {
  const MatView<float> dinputs = pools() ? fit(planned_.d_pooled, inputs_.rows) : dy;
  multiply_rows(workers_, dscores, weights.output().head.V_out_back, {}, dinputs);
  add_weight_gradients(workers_, weights.precision(), dscores, {{inputs_, gradients.matrices().decoder}},
                       gradients.matrices().decoder_bias);
  if (!pools()) return;
  if (mask.probability > 0) dropout_backward(workers_, mask, dinputs, dinputs);
  pooling_backward(workers_, pooled(window), weights.attention(), outputs_, planned_.pooling, dinputs,
                   gradients.matrices().attention, dy);
}

}  // namespace unroll
