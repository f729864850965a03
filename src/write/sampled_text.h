// Samples text from a network, as ids.
#pragma once

#include <cstdint>
#include <vector>

#include "base/workers.h"
#include "infer/evaluate_ids.h"
#include "unroll/model.h"

namespace unroll {

// Returns whole lines, each with its closing boundary, drawn from the network's own distribution, the unknown symbol
// included: `tokens` symbols without the last line of each row, which has not ended. Rows are written side by side,
// each from the start of a line, and follow each other in the result. The same model, seed and number of tokens give
// the same ids, whatever the number of workers. Throws Error{kInput} where no line has ended.
[[nodiscard]] std::vector<std::int32_t> sampled_text(const Model& model, std::int64_t tokens, std::uint64_t seed,
                                                     Workers& workers, const EvaluationProgress& progress);

}  // namespace unroll
