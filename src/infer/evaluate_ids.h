// How well a network predicts a sequence of ids: the one computation behind evaluate() and validation in training.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/workers.h"
#include "network/network.h"
#include "text/batcher.h"
#include "unroll/score/accounting.h"

namespace unroll {

struct IdsEvaluation {
  double nats = 0;           // sum of -ln p over all predictions
  std::int64_t tokens = 0;   // predictions: every id once
  double unknown_nats = 0;   // of which of the unknown symbol
  std::int64_t unknown = 0;  // how many those are
};

using EvaluationProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// Takes a window that the network has just run over: `positions` (T*B) are those of its targets among the ids, -1 where
// a target is ignored.
using WindowVisitor =
    std::function<void(Network& network, const Window& window, std::span<const std::int64_t> positions)>;

// Runs a network over ids, cut into pieces as evaluation_pieces says (`exact` keeps one piece), in windows of at most
// `steps` steps, and visits each that predicts something, on the calling thread; each id is predicted once.
//
// Requires ids that are not empty and below V.
// Progress `progress(done, total)`, if not empty, is called after each window: predictions.
void sweep_ids(const NetworkConfig& config, const NetworkWeights& weights, Workers& workers,
               std::span<const std::int32_t> ids, std::int32_t boundary, StatePolicy state, bool exact,
               std::int64_t steps, const WindowVisitor& visit, const EvaluationProgress& progress);

// ln p of each id given those before it, cut into pieces as evaluation_pieces says; `exact` keeps one piece.
//
// Requires ids that are not empty and below V, and a temperature above 0, which divides logits.
// Numerics the bits depend neither on the number of workers nor on what the weights are packed for.
// Progress `progress(done, total)`, if not empty, is called after each window from the calling thread: predictions.
[[nodiscard]] std::vector<double> log_probs_of_ids(const NetworkConfig& config, const NetworkWeights& weights,
                                                   Workers& workers, std::span<const std::int32_t> ids,
                                                   std::int32_t boundary, StatePolicy state, bool exact,
                                                   double temperature, const EvaluationProgress& progress);

// Whether an id is part of the sums under the policy; `unknown` is -1 where the vocabulary has no such symbol.
[[nodiscard]] bool is_counted(const Accounting& accounting, std::int32_t id, std::int32_t boundary,
                              std::int32_t unknown) noexcept;

// Sums over a text whose ids have these ln p, in double and in the order of the text, over what counts; `unknown` is -1
// where the vocabulary has no such symbol. NaN comes out as NaN.
[[nodiscard]] IdsEvaluation evaluation_of(std::span<const std::int32_t> ids, std::span<const double> log_probs,
                                          std::int32_t boundary, std::int32_t unknown,
                                          const Accounting& accounting = {});

// Both, at temperature 1.
[[nodiscard]] IdsEvaluation evaluate_ids(const NetworkConfig& config, const NetworkWeights& weights, Workers& workers,
                                         std::span<const std::int32_t> ids, std::int32_t boundary, std::int32_t unknown,
                                         StatePolicy state, bool exact, const EvaluationProgress& progress);

}  // namespace unroll
