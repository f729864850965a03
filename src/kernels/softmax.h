// Softmax over one row of logits.
#pragma once

#include <cstdint>
#include <span>

namespace unroll {

// The result of scoring one predicted symbol.
struct SymbolPrediction {
  double log_prob = 0;    // nats
  double entropy = 0;     // of the whole distribution, nats
  std::int64_t rank = 0;  // 1 + number of symbols with a larger logit
};

// All functions sum over the row in double, in an order fixed by its length; e^x is within the bound of
// kernels/activations-inl.h; NaN or +infinity in the logits gives NaN. Reentrant.

// ln softmax(logits)[target].
[[nodiscard]] double log_softmax_at(std::span<const float> logits, std::int32_t target);

// out[i] = ln softmax(logits)[targets[i]]; the bits equal those of log_softmax_at.
void log_softmax_at(std::span<const float> logits, std::span<const std::int32_t> targets, std::span<double> out);

// As log_softmax_at; also replaces the logits by scale * (softmax - 1[target]).
double log_softmax_and_gradient_at(std::span<float> logits, std::int32_t target, float scale);

// As log_softmax_at, with rank and entropy.
[[nodiscard]] SymbolPrediction predict_symbol(std::span<const float> logits, std::int32_t target);

// out[v] = ln softmax(logits)[v]; the bits equal those of log_softmax_at.
void log_softmax(std::span<const float> logits, std::span<double> out);

// Returns ln of the sum of e^logits, as all of the above compute it.
[[nodiscard]] double log_sum_exp(std::span<const float> logits);

// out[v] = x[v] - y, rounded once; out may be x.
void subtract(std::span<const float> x, double y, std::span<float> out);

}  // namespace unroll
