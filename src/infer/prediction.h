// Turns logits into log-probability, rank and entropy.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/softmax.h"

namespace unroll {

// What is asked for about a prediction. The log-probability has the same bits either way.
enum class Detail { kLogProb, kRankAndEntropy };

// logits / temperature, in place: each is multiplied by one float. 1 changes no bit.
void apply_temperature(double temperature, std::span<float> logits);

// The prediction of `target` by softmax(logits).
[[nodiscard]] SymbolPrediction predict(std::span<const float> logits, std::int32_t target, Detail detail);

// The prediction of `target` by a distribution, given as ln p of every symbol; in double. A symbol without probability
// adds nothing to the entropy.
[[nodiscard]] SymbolPrediction predict(std::span<const double> log_probs, std::int32_t target);

// ln(e^a + e^b). Requires a finite a; returns a to the bit where b is -infinity.
[[nodiscard]] double log_of_sum(double a, double b);

}  // namespace unroll
