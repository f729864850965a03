// The reference lines of `score --percentile`.
#pragma once

#include <string>

#include "cli/streams/terminal.h"
#include "unroll/model.h"
#include "unroll/score/odd_lines.h"
#include "unroll/scorer.h"

namespace unroll {

[[nodiscard]] LineProbability probability(const Score& score);

// Scores the lines of a text that have tokens, and reports their number on the terminal. Throws what Scorer and
// OddLines throw, naming the text.
[[nodiscard]] OddLines read_reference(const std::string& path, const Model& model, const ScorerOptions& options,
                                      Terminal& terminal);

}  // namespace unroll
