// What is reported about a symbol: from the logits before it, or from what the network itself says of it.
#pragma once

#include <cstdint>
#include <span>

#include "infer/prediction.h"
#include "unroll/engine.h"

namespace unroll {

// How much a report needs to know about a prediction.
[[nodiscard]] Detail detail_of(const SymbolDetail& detail) noexcept;

// Sets what `report` says about its id, by softmax(logits).
void set_from_logits(std::span<const float> logits, const SymbolDetail& detail, SymbolReport& report);

// Sets it by the network's own prediction: with an adaptive softmax the logits are log-probabilities, but rounded.
// Alternatives that are there stay, but for that of the id itself.
void set_from_prediction(const SymbolPrediction& prediction, const SymbolDetail& detail, SymbolReport& report);

}  // namespace unroll
