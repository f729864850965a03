// A table of how far gradients reach.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "draw/pictures/gradient.h"

namespace unroll {

// By lag, of each model the median and the quartiles; then the words about each.
[[nodiscard]] std::string flow_table(const std::vector<NamedFlow>& flows);

// Of one prediction, by lag: the symbol that was read there and what is left of each gradient; last the norms at lag 0.
[[nodiscard]] std::string prediction_table(std::span<const std::string> reads, const GradientFlow& flow);

}  // namespace unroll
