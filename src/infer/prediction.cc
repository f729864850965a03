#include "infer/prediction.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <vector>

#include "infer/ngram_mixture.h"

namespace unroll {

void apply_temperature(double temperature, std::span<float> logits) {
  const auto factor = static_cast<float>(1 / temperature);
  for (float& logit : logits) logit *= factor;
}

SymbolPrediction predict(std::span<const float> logits, std::int32_t target, Detail detail) {
  switch (detail) {
    case Detail::kLogProb:
      return {.log_prob = log_softmax_at(logits, target)};
    case Detail::kRankAndEntropy:
      return predict_symbol(logits, target);
  }
  return {};
}

SymbolPrediction predict(std::span<const double> log_probs, std::int32_t target) {
  SymbolPrediction result{.log_prob = log_probs[static_cast<std::size_t>(target)], .rank = 1};
  for (const double log_prob : log_probs) {
    if (log_prob > result.log_prob) ++result.rank;
    const double p = std::exp(log_prob);
    if (p != 0) result.entropy -= p * log_prob;
  }
  return result;
}

double log_of_sum(double a, double b) {
  const double most = std::max(a, b);
  return most + std::log1p(std::exp(std::min(a, b) - most));
}

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

void predict_mixed(Network& network, const NetworkWeights& weights, const Window& window, double temperature,
                   Detail detail, std::span<SymbolPrediction> out, NgramRows& ngram) {
  ngram.read(window, detail);
  // Always by itself: with cutoffs the logits below are rounded.
  predict_window(network, weights, window, temperature, Detail::kLogProb, out);
  for (std::size_t r = 0; r < out.size(); ++r) {
    if (window.targets[r] == kIgnored) continue;
    out[r].log_prob = ngram.mixed(static_cast<std::int64_t>(r), out[r].log_prob);
  }
  if (detail == Detail::kLogProb) return;
  network.read_logits(weights, [&](std::int64_t row, std::span<float> logits) {
    const auto r = static_cast<std::size_t>(row);
    if (window.targets[r] == kIgnored) return;
    if (temperature != 1) apply_temperature(temperature, logits);
    std::vector<double> log_probs(logits.size());
    log_softmax(logits, log_probs);
    const double log_prob = out[r].log_prob;
    out[r] = ngram.predict(row, log_probs);
    out[r].log_prob = log_prob;
  });
}

}  // namespace

void predict_window(Network& network, const NetworkWeights& weights, const Window& window, double temperature,
                    Detail detail, std::span<SymbolPrediction> out, NgramRows* ngram) {
  assert(std::ssize(out) == window.T * window.B);
  if (ngram != nullptr) return predict_mixed(network, weights, window, temperature, detail, out, *ngram);
  if (temperature == 1) return predict_as_it_is(network, weights, window, detail, out);
  network.read_logits(weights, [&](std::int64_t row, std::span<float> logits) {
    const auto r = static_cast<std::size_t>(row);
    const std::int32_t target = window.targets[r];
    if (target == kIgnored) {
      out[r] = {};
      return;
    }
    apply_temperature(temperature, logits);
    out[r] = predict(std::span<const float>(logits), target, detail);
  });
}

}  // namespace unroll
