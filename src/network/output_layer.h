// The output layer of any network: the only place that distinguishes full and adaptive softmax.
#pragma once

#include <span>
#include <vector>

#include "base/view.h"
#include "base/workers.h"
#include "network/gradients.h"
#include "network/parameters.h"
#include "nn/adaptive_softmax.h"
#include "nn/sampled_softmax.h"
#include "nn/softmax_loss.h"
#include "unroll/network.h"

namespace unroll {

// Its parameters packed for products.
struct OutputWeights {
  SoftmaxWeights head;             // of all symbols; with cutoffs of the head
  std::vector<TailWeights> tails;  // one per cutoff
  WeightView decoder;              // V_out as stored

  // Without `packed`, it serves only a sampled softmax, which packs the rows that it needs.
  OutputWeights(const NetworkConfig& config, Precision precision, bool with_backward, bool packed);
  // Views the bias and the matrix.
  void view(const ParametersView& parameters) noexcept;
  // The matrices of `parameters` to be packed into this.
  [[nodiscard]] std::vector<PackingTask> packing_tasks(const ParametersView& parameters);
  [[nodiscard]] std::int64_t bytes() const noexcept;
};

// Its scratch memory, planned for R rows.
struct OutputScratch {
  MatView<float> logits;     // full softmax: (block, V)
  AdaptiveScratch adaptive;  // with cutoffs
  SampledScratch sampled;    // with samples, then alone
};

// Plans it: take(name, rows, cols) returns a matrix.
template <class Take>
OutputScratch output_scratch(const NetworkConfig& config, std::int64_t R, bool training, std::int64_t samples,
                             const Take& take) {
  constexpr const char* kLogits = "logits of one block of rows";
  constexpr const char* kTails = "rows of tail clusters";
  constexpr const char* kSamples = "rows of samples and targets";
  OutputScratch scratch;
  if (samples > 0) {
    scratch.sampled.logits = take(kLogits, sampled_block_rows(R, samples), samples + 1);
    scratch.sampled.rows = take(kSamples, samples, decoder_inputs(config));
    scratch.sampled.dV_rows = take(kSamples, samples + R, decoder_inputs(config));
    return scratch;
  }
  if (config.cutoffs.empty()) {
    const std::int64_t block = softmax_block_rows({.rows = R, .H = decoder_inputs(config), .V = config.vocabulary});
    scratch.logits = take(kLogits, block, config.vocabulary);
    return scratch;
  }
  const AdaptiveShape shape{.H = config.hidden, .V = config.vocabulary, .cutoffs = config.cutoffs};
  const std::int64_t width = shape.cluster(0).width;
  scratch.adaptive.logits = take(kLogits, 1, adaptive_logits_size(shape, R, !training)).flat();
  scratch.adaptive.h = take(kTails, R, config.hidden);
  scratch.adaptive.z = take(kTails, R, width);
  if (training) scratch.adaptive.dz = take(kTails, R, width);
  return scratch;
}

// The samples of a sampled softmax and their weights, drawn and packed in each step.
struct SampledStep {
  SymbolSampler samples;
  SampledWeights weights;

  SampledStep(const NetworkConfig& config, std::int64_t count, Precision precision)
      : samples(config.vocabulary, count), weights(decoder_inputs(config), count, precision) {}
};

// In all functions below, h (R, H) contiguous is the output of the last layer, or its projection (R, E); for the rest
// see nn/softmax_loss.h and nn/adaptive_softmax.h.

void output_log_probs(Workers& workers, const NetworkConfig& config, const OutputWeights& weights,
                      MatView<const float> h, std::span<const std::int32_t> targets, const OutputScratch& scratch,
                      std::span<double> log_probs);

// Adds to `gradients`; sets dh.
void output_loss_and_gradient(Workers& workers, const NetworkConfig& config, const OutputWeights& weights,
                              MatView<const float> h, std::span<const std::int32_t> targets, float scale,
                              const OutputScratch& scratch, std::span<double> log_probs,
                              const OutputGradients& gradients, MatView<float> dh);

// The same with the loss of a sampled softmax, whose symbols are drawn by `noise`. Requires a full softmax, f32
// weights, and scratch and gradients with samples.
void output_sampled_loss_and_gradient(Workers& workers, SampledStep& step, const OutputWeights& weights, NoiseKey noise,
                                      MatView<const float> h, std::span<const std::int32_t> targets, float scale,
                                      const OutputScratch& scratch, std::span<double> log_probs,
                                      const OutputGradients& gradients, MatView<float> dh);

void output_predictions(Workers& workers, const NetworkConfig& config, const OutputWeights& weights,
                        MatView<const float> h, std::span<const std::int32_t> targets, const OutputScratch& scratch,
                        std::span<SymbolPrediction> predictions);

// Passes the logits of every row, with cutoffs its log-probabilities, to `read`.
void output_logits(Workers& workers, const NetworkConfig& config, const OutputWeights& weights, MatView<const float> h,
                   const OutputScratch& scratch, const LogitsReader& read);

}  // namespace unroll
