// A network run over a tree of prefixes: every prefix once, many of them side by side.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "infer/inference.h"
#include "rescore/prefix_tree.h"
#include "unroll/scorer.h"

namespace unroll {

// Rows of one step; what Inference is to be planned for, with windows of one step.
inline constexpr std::int64_t kTreeRows = 256;

// ln p of the last id of each node given those before it and `start`, in nats; nothing for the root. Sets
// log_probs[node].
//
// A prefix that is not the whole of a sequence is a row of one step: it reads its last id in the state after its parent
// and predicts its children, whose state it leaves. Rows from which most is left to read come first; of trees whose
// nodes take a step each, no order needs fewer steps (Hu 1961).
//
// Numerics the bits are those of the same ids as one sequence.
// Returns  how many rows were run.
std::int64_t walk(Inference& inference, const PrefixTree& tree, const State& start, std::span<double> log_probs);

}  // namespace unroll
