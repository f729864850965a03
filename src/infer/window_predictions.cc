#include "infer/window_predictions.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <vector>

namespace unroll {
namespace {

// At temperature 1, where the network itself knows: with an adaptive softmax log-probabilities alone take little work.
void predict_as_it_is(Network& network, const NetworkWeights& weights, const Window& window, Detail detail,
                      std::span<SymbolPrediction> out) {
  switch (detail) {
    case Detail::kLogProb:
      std::ranges::transform(network.log_probs(weights, window), out.begin(),
                             [](double log_prob) { return SymbolPrediction{.log_prob = log_prob}; });
      return;
    case Detail::kRankAndEntropy:
      std::ranges::copy(network.predictions(weights, window), out.begin());
      return;
  }
}

void predict_mixed(Network& network, const NetworkWeights& weights, const Window& window, const PredictionForm& form,
                   std::span<SymbolPrediction> out) {
  NgramRows& ngram = *form.ngram;
  ngram.read(window, form.detail);
  // Always by itself: with cutoffs the logits below are rounded.
  predict_window(network, weights, window, {.temperature = form.temperature}, out);
  for (std::size_t r = 0; r < out.size(); ++r) {
    if (window.targets[r] == kIgnored) continue;
    out[r].log_prob = ngram.mixed(static_cast<std::int64_t>(r), out[r].log_prob);
  }
  if (form.detail == Detail::kLogProb) return;
  network.read_logits(weights, [&](std::int64_t row, std::span<float> logits) {
    const auto r = static_cast<std::size_t>(row);
    if (window.targets[r] == kIgnored) return;
    if (form.temperature != 1) apply_temperature(form.temperature, logits);
    std::vector<double> log_probs(logits.size());
    log_softmax(logits, log_probs);
    const double log_prob = out[r].log_prob;
    out[r] = ngram.predict(row, log_probs);
    out[r].log_prob = log_prob;
  });
}

}  // namespace

void predict_window(Network& network, const NetworkWeights& weights, const Window& window, const PredictionForm& form,
                    std::span<SymbolPrediction> out) {
  assert(std::ssize(out) == window.T * window.B);
  if (form.ngram != nullptr) return predict_mixed(network, weights, window, form, out);
  if (form.temperature == 1) return predict_as_it_is(network, weights, window, form.detail, out);
  network.read_logits(weights, [&](std::int64_t row, std::span<float> logits) {
    const auto r = static_cast<std::size_t>(row);
    const std::int32_t target = window.targets[r];
    if (target == kIgnored) {
      out[r] = {};
      return;
    }
    apply_temperature(form.temperature, logits);
    out[r] = predict(std::span<const float>(logits), target, form.detail);
  });
}

}  // namespace unroll
