// How well a network predicts a sequence of ids: the one computation behind evaluate() and validation in training.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/workers.h"
#include "model/network.h"

namespace unroll {

struct IdsEvaluation {
  double nats = 0;           // sum of -ln p over all predictions
  std::int64_t tokens = 0;   // predictions: every id once
  double unknown_nats = 0;   // of which of the unknown symbol
  std::int64_t unknown = 0;  // how many those are
};

// Predicts each id from those before it, cut into pieces as evaluation_pieces says; `exact` keeps one piece.
//
// Requires ids that are not empty and below V; `unknown` is -1 where the vocabulary has no such symbol.
// Numerics sums in double, window by window and step by step: an order fixed by the ids alone, so the bits depend
//          neither on the number of workers nor on what the weights are packed for. NaN comes out as NaN.
// Progress `progress(done, total)`, if not empty, is called after each window from the calling thread: predictions.
[[nodiscard]] IdsEvaluation evaluate_ids(const NetworkConfig& config, const NetworkWeights& weights, Workers& workers,
                                         std::span<const std::int32_t> ids, std::int32_t boundary, std::int32_t unknown,
                                         StatePolicy state, bool exact,
                                         const std::function<void(std::int64_t done, std::int64_t total)>& progress);

}  // namespace unroll
