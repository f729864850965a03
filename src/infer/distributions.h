// Whole distributions that a network predicts along a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/workers.h"
#include "infer/evaluate_ids.h"
#include "unroll/model.h"

namespace unroll {

// Takes the probabilities (V) of the id at `position` of a text, and the log-probability of the id that stands there,
// which is finite even where its p is too small for a float.
using DistributionVisitor = std::function<void(std::size_t position, std::span<const float> p, double log_prob)>;

// Predicts each id of a text from those before it, cut into pieces as evaluate_ids() does, and visits each position
// once, on the calling thread, in an order that depends on the text alone. The bits do not depend on the number of
// workers. Throws Error{kNumeric} where the network predicts NaN or infinity.
void visit_distributions(const Model& model, std::span<const std::int32_t> ids, Workers& workers,
                         const DistributionVisitor& visit, const EvaluationProgress& progress);

}  // namespace unroll
