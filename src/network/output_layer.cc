#include "network/output_layer.h"

namespace unroll {
namespace {

AdaptiveShape adaptive_shape(const NetworkConfig& config) {
  return {.H = config.hidden, .V = config.vocabulary, .cutoffs = config.cutoffs};
}

SoftmaxShape full_shape(const NetworkConfig& config, MatView<const float> h) {
  return {.rows = h.rows, .H = h.cols, .V = config.vocabulary};
}

}  // namespace

OutputWeights::OutputWeights(const NetworkConfig& config, Precision precision, bool with_backward, bool packed) {
  if (!packed) return;
  const std::int64_t size = config.cutoffs.empty() ? output_count(config) : adaptive_shape(config).head_size();
  const std::int64_t inputs = decoder_inputs(config);
  head.V_out = PackedMatrix(inputs, size, precision);
  if (with_backward) head.V_out_back = PackedMatrix(size, inputs, precision);
  for (std::size_t i = 0; i < config.cutoffs.size(); ++i) {
    tails.emplace_back(config.hidden, adaptive_shape(config).cluster(static_cast<std::int64_t>(i)), precision,
                       with_backward);
  }
}

void OutputWeights::view(const ParametersView& parameters) noexcept {
  head.bias = parameters.decoder_bias;
  decoder = parameters.decoder;
}

std::vector<PackingTask> OutputWeights::packing_tasks(const ParametersView& parameters) {
  if (head.V_out.bytes() == 0) return {};
  PackedMatrix* const back = head.V_out_back.bytes() > 0 ? &head.V_out_back : nullptr;
  std::vector<PackingTask> tasks{{parameters.decoder, &head.V_out, back}};
  for (std::size_t i = 0; i < tails.size(); ++i) {
    for (const PackingTask& task : tails[i].packing_tasks(parameters.tails[i])) tasks.push_back(task);
  }
  return tasks;
}

std::int64_t OutputWeights::bytes() const noexcept {
  std::int64_t sum = head.V_out.bytes() + head.V_out_back.bytes();
  for (const TailWeights& tail : tails) sum += tail.bytes();
  return sum;
}

void output_log_probs(Workers& workers, const NetworkConfig& config, const OutputWeights& weights,
                      MatView<const float> h, std::span<const std::int32_t> targets, const OutputScratch& scratch,
                      std::span<double> log_probs) {
  if (config.cutoffs.empty()) {
    return softmax_loss(workers, full_shape(config, h), weights.head, h, targets, scratch.logits, log_probs);
  }
  adaptive_softmax_loss(workers, adaptive_shape(config), {weights.head, weights.tails}, h, targets, scratch.adaptive,
                        log_probs);
}

void output_loss_and_gradient(Workers& workers, const NetworkConfig& config, const OutputWeights& weights,
                              MatView<const float> h, std::span<const std::int32_t> targets, float scale,
                              const OutputScratch& scratch, std::span<double> log_probs,
                              const OutputGradients& gradients, MatView<float> dh) {
  if (config.cutoffs.empty()) {
    return softmax_loss_and_gradient(workers, full_shape(config, h), weights.head, h, targets, scale, scratch.logits,
                                     log_probs, gradients.decoder, gradients.bias, dh);
  }
  adaptive_softmax_loss_and_gradient(
      workers, adaptive_shape(config), {weights.head, weights.tails}, h, targets, scale, scratch.adaptive, log_probs,
      {.dhead = gradients.decoder, .dbias = gradients.bias, .dtails = gradients.tails}, dh);
}

void output_sampled_loss_and_gradient(Workers& workers, SampledStep& step, const OutputWeights& weights, NoiseKey noise,
                                      MatView<const float> h, std::span<const std::int32_t> targets, float scale,
                                      const OutputScratch& scratch, std::span<double> log_probs,
                                      const OutputGradients& gradients, MatView<float> dh) {
  step.samples.draw(noise);
  step.weights.pack(workers, step.samples, weights.decoder, weights.head.bias, scratch.sampled.rows);
  sampled_softmax_loss_and_gradient(workers, {step.samples, step.weights, weights.decoder, weights.head.bias}, h,
                                    targets, scale, scratch.sampled, log_probs, *gradients.sampled, gradients.bias, dh);
}

void output_predictions(Workers& workers, const NetworkConfig& config, const OutputWeights& weights,
                        MatView<const float> h, std::span<const std::int32_t> targets, const OutputScratch& scratch,
                        std::span<SymbolPrediction> predictions) {
  if (config.cutoffs.empty()) {
    return softmax_predictions(workers, full_shape(config, h), weights.head, h, targets, scratch.logits, predictions);
  }
  adaptive_softmax_predictions(workers, adaptive_shape(config), {weights.head, weights.tails}, h, targets,
                               scratch.adaptive, predictions);
}

void output_logits(Workers& workers, const NetworkConfig& config, const OutputWeights& weights, MatView<const float> h,
                   const OutputScratch& scratch, const LogitsReader& read) {
  if (config.cutoffs.empty()) {
    return softmax_logits(workers, full_shape(config, h), weights.head, h, scratch.logits, read);
  }
  adaptive_log_probs(workers, adaptive_shape(config), {weights.head, weights.tails}, h, scratch.adaptive, read);
}

}  // namespace unroll
