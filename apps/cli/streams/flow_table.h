// A table of how far gradients reach.
#pragma once

#include <string>
#include <vector>

#include "draw/pictures/gradient.h"

namespace unroll {

// By lag, of each model the median and, in brackets, the quartiles; then the words about each.
[[nodiscard]] std::string flow_table(const std::vector<NamedFlow>& flows);

}  // namespace unroll
