// Which steps of a text a classifier reads out.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/look/unrolled_text.h"

namespace unroll {

// The share of the vector that is read out of text `text` which each of its steps gives (unroll/readout.h); together 1:
//
//   kLast       the last step; with both directions half, and the first one the other half
//   kMean       1/n
//   kMax        the share of units that are greatest at the step, the first of equal ones
//   kConcat     the mean of these three
//   kAttention  a_t
//
// Throws Error{kUsage} for a text that there is not, and for a model that does not classify texts.
[[nodiscard]] std::vector<double> pooled_steps(const UnrolledText& text, std::int64_t text_number = 0);

}  // namespace unroll
