// What `eval` prints of a tagger.
#pragma once

#include <string>

#include "unroll/label/tagger.h"

namespace unroll {

// Rows for people, or one JSON object on one line.
[[nodiscard]] std::string tag_evaluation_table(SpanRule rule, const TagEvaluation& result);
[[nodiscard]] std::string tag_evaluation_json(SpanRule rule, const TagEvaluation& result);

}  // namespace unroll
