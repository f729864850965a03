// The output layer of any network, full or adaptive softmax: the one place that tells them apart.
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

// Its parameters made ready for products.
struct OutputWeights {
  SoftmaxWeights head;             // of all symbols; with cutoffs of the head's
  std::vector<TailWeights> tails;  // one per cutoff
  WeightView decoder;              // V_out as it is stored

  // Without `packed` nothing is made ready but for a sampled softmax, which packs the rows that it needs.
  OutputWeights(const NetworkConfig& config, Precision precision, bool with_backward, bool packed);
  // Takes the bias and views the matrix, and tells what is to be packed.
  std::vector<PackingTask> take(const ParametersView& parameters);
  [[nodiscard]] std::int64_t bytes() const noexcept;
};

// Memory that it works in, planned for R rows.
struct OutputScratch {
  MatView<float> logits;     // full softmax: (block, V)
  AdaptiveScratch adaptive;  // with cutoffs
  SampledScratch sampled;    // with samples, and then nothing else
};

// Plans it: take(name, rows, cols) hands out a matrix.
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

// What a sampled softmax draws and packs in each step.
struct SampledStep {
  SymbolSampler samples;
  SampledWeights weights;

  SampledStep(const NetworkConfig& config, std::int64_t count, Precision precision)
      : samples(config.vocabulary, count), weights(decoder_inputs(config), count, precision) {}
};

// All of these: h (R, H) contiguous are the outputs of the last layer, projected (R, E) where there is
// a projection; see the two kinds' headers for the rest.

void output_log_probs(Workers& workers, const NetworkConfig& config, const OutputWeights& weights,
                      MatView<const float> h, std::span<const std::int32_t> targets, const OutputScratch& scratch,
                      std::span<double> log_probs);

// Adds to the output layer's part of `gradients`; sets dh.
void output_loss_and_gradient(Workers& workers, const NetworkConfig& config, const OutputWeights& weights,
                              MatView<const float> h, std::span<const std::int32_t> targets, float scale,
                              const OutputScratch& scratch, std::span<double> log_probs, Gradients& gradients,
                              MatView<float> dh);

// The same with the loss of a sampled softmax, whose symbols are those of `noise`. Requires a full softmax, f32
// weights, scratch and gradients with samples.
void output_sampled_loss_and_gradient(Workers& workers, SampledStep& step, const OutputWeights& weights, NoiseKey noise,
                                      MatView<const float> h, std::span<const std::int32_t> targets, float scale,
                                      const OutputScratch& scratch, std::span<double> log_probs, Gradients& gradients,
                                      MatView<float> dh);

void output_predictions(Workers& workers, const NetworkConfig& config, const OutputWeights& weights,
                        MatView<const float> h, std::span<const std::int32_t> targets, const OutputScratch& scratch,
                        std::span<SymbolPrediction> predictions);

// The logits of every row, with cutoffs log-probabilities.
void output_logits(Workers& workers, const NetworkConfig& config, const OutputWeights& weights, MatView<const float> h,
                   const OutputScratch& scratch, const LogitsReader& read);

}  // namespace unroll
