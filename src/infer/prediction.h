// From a network's logits to what is told about a prediction.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/softmax.h"
#include "network/network.h"
#include "text/batcher.h"

namespace unroll {

class NgramRows;

// How much of a prediction is asked for. The log-probability has the same bits either way.
enum class Detail { kLogProb, kRankAndEntropy };

// logits / temperature, in place: one product with a float for each. 1 changes no bit.
void apply_temperature(double temperature, std::span<float> logits);

// What softmax(logits) tells about `target`.
[[nodiscard]] SymbolPrediction predict(std::span<const float> logits, std::int32_t target, Detail detail);

// What a distribution, given as ln p of every symbol, tells about `target`; in double. The entropy counts nothing for a
// symbol without probability.
[[nodiscard]] SymbolPrediction predict(std::span<const double> log_probs, std::int32_t target);

// ln(e^a + e^b) for a that is finite; a itself, to the bit, where b is -infinity.
[[nodiscard]] double log_of_sum(double a, double b);

// What the network's last forward, of `window`, tells about each target at a temperature: out (T*B), zeros where the
// target is ignored. With `ngram`, which takes the window then, it is what the mixture with an n-gram model tells.
void predict_window(Network& network, const NetworkWeights& weights, const Window& window, double temperature,
                    Detail detail, std::span<SymbolPrediction> out, NgramRows* ngram = nullptr);

}  // namespace unroll
