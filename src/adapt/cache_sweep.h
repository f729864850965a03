// Sweeps settings of the neural cache over one text, from its recorded states and predictions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/workers.h"
#include "unroll/adapt/adaptation.h"

namespace unroll {

// The states and predictions of a network over a text.
struct RecordedText {
  std::span<const std::int32_t> ids;
  std::vector<float> states;      // (ids, H)
  std::vector<double> log_probs;  // of each id, without a cache
};

// Settings, of which all combinations are tried. Sizes must rise.
struct CacheGrid {
  std::vector<std::int64_t> sizes;
  std::vector<double> thetas;
  std::vector<double> weights;  // above 0
};

// Sum of -ln p over the text for each combination, weights running fastest, then thetas. As NeuralCache computes it,
// apart from the order of its sums. The bits do not depend on the number of workers.
[[nodiscard]] std::vector<double> sweep_cache(Workers& workers, const RecordedText& text, const CacheGrid& grid);

}  // namespace unroll
