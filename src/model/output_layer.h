// The output layer of any network, full or adaptive softmax: the one place that tells them apart.
#pragma once

#include <span>
#include <vector>

#include "base/view.h"
#include "base/workers.h"
#include "model/gradients.h"
#include "model/parameters.h"
#include "nn/adaptive_softmax.h"
#include "nn/softmax_loss.h"
#include "unroll/network.h"

namespace unroll {

// Its parameters made ready for products.
struct OutputWeights {
  SoftmaxWeights head;             // of all symbols; with cutoffs of the head's
  std::vector<TailWeights> tails;  // one per cutoff

  OutputWeights(const NetworkConfig& config, Precision precision, bool with_backward);
  // Takes the bias, and tells what is to be packed for the rest.
  std::vector<PackingTask> take(const ParametersView& parameters);
  [[nodiscard]] std::int64_t bytes() const noexcept;
};

// Memory that it works in, planned for R rows.
struct OutputScratch {
  MatView<float> logits;     // full softmax: (block, V)
  AdaptiveScratch adaptive;  // with cutoffs
};

// Plans it: take(name, rows, cols) hands out a matrix.
template <class Take>
OutputScratch output_scratch(const NetworkConfig& config, std::int64_t R, bool training, const Take& take) {
  constexpr const char* kLogits = "logits of one block of rows";
  constexpr const char* kTails = "rows of tail clusters";
  OutputScratch scratch;
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

void output_predictions(Workers& workers, const NetworkConfig& config, const OutputWeights& weights,
                        MatView<const float> h, std::span<const std::int32_t> targets, const OutputScratch& scratch,
                        std::span<SymbolPrediction> predictions);

// The logits of every row, with cutoffs log-probabilities.
void output_logits(Workers& workers, const NetworkConfig& config, const OutputWeights& weights, MatView<const float> h,
                   const OutputScratch& scratch, const LogitsReader& read);

}  // namespace unroll
