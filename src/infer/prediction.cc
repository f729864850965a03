#include "infer/prediction.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

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

}  // namespace unroll
