// How well a network predicts a sequence of ids: the one computation behind evaluate() and validation in training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "infer/inference.h"
#include "infer/sequence.h"
#include "infer/symbols.h"
#include "text/window.h"
#include "unroll/score/accounting.h"
#include "unroll/score/loss_sums.h"

namespace unroll {

// Called after each window from the calling thread: predictions made, predictions in all. May be empty.
using EvaluationProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// Takes a window that the network has just run over. positions (T*B): where each target stands among the ids, -1 where
// it is ignored.
using WindowVisitor =
    std::function<void(Network& network, const Window& window, std::span<const std::int64_t> positions)>;

// How a sequence of ids is cut into the pieces of evaluation_pieces(), and these into windows.
struct Cut {
  Reading reading = {};
  bool exact = false;                   // one piece
  std::int64_t steps = kSequenceSteps;  // of a window at most
};

// Runs a network over ids and visits each window that predicts something, on the calling thread; each id that the
// reading predicts is predicted once. Requires ids that are not empty and below V, or kNoSymbol.
void sweep_ids(const ReadyWeights& ready, std::span<const std::int32_t> ids, const Cut& cut, const WindowVisitor& visit,
               const EvaluationProgress& progress);

// ln p of each id given those before it; 0 for an id that is not predicted. Requires what sweep_ids() does, and a
// temperature above 0, which divides logits.
//
// Numerics the bits depend neither on the number of workers nor on what the weights are packed for.
[[nodiscard]] std::vector<double> log_probs_of_ids(const ReadyWeights& ready, std::span<const std::int32_t> ids,
                                                   const Cut& cut, double temperature,
                                                   const EvaluationProgress& progress);

// Whether ids[position] is part of the sums under the policy.
[[nodiscard]] bool is_counted(const Accounting& accounting, const Symbols& symbols, std::span<const std::int32_t> ids,
                              std::size_t position) noexcept;

// Sums over a text whose ids have these ln p, in double and in the order of the text, over the ids that count. NaN
// comes out as NaN. Where state is reset each line is summed by itself, and then the lines.
[[nodiscard]] LossSums evaluation_of(std::span<const std::int32_t> ids, std::span<const double> log_probs,
                                     const Symbols& symbols, const Accounting& accounting = {});

// The same of each line by itself, up to and with its boundary: one element where state is carried.
[[nodiscard]] std::vector<LossSums> evaluation_of_lines(std::span<const std::int32_t> ids,
                                                        std::span<const double> log_probs, const Symbols& symbols,
                                                        const Accounting& accounting = {});

// evaluation_of(log_probs_of_ids()) at temperature 1, with the cut that the reading asks for, not exact.
[[nodiscard]] LossSums evaluate_ids(const ReadyWeights& ready, std::span<const std::int32_t> ids,
                                    const Symbols& symbols, const EvaluationProgress& progress);

}  // namespace unroll
