// Runs a network over a tree of prefixes: every prefix once, many of them side by side.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "infer/inference.h"
#include "rescore/prefix_tree.h"
#include "unroll/state.h"

namespace unroll {

// The most rows of a window; windows have one step. Inference must be planned for both.
inline constexpr std::int64_t kTreeRows = 256;

// Sets log_probs[node] to ln p, in nats, of the last id of each node given those before it and `start`; the root's is
// not set.
//
// A prefix that is not a whole sequence is a row of one step: it reads its last id in the state after its parent and
// predicts its children, who read the state after it. Rows with the longest way to a leaf run first: no order takes
// fewer steps (Hu 1961).
//
// Numerics the bits are those of the same ids as one sequence.
// Returns  the number of rows that were run.
std::int64_t walk(Inference& inference, const PrefixTree& tree, const State& start, std::span<double> log_probs);

}  // namespace unroll
