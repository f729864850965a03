// What is seen inside a run of a model, as JSON: the command and the server print the same objects.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "unroll/look/gradient_flow.h"

namespace unroll {

// [{"of", "layer", "per_step", "half_after", "1e-5_after", "lag": [...], "count": [...], "lower": [...], ...}, ...].
// `layer` is null where there is none, and so is what is not reached.
[[nodiscard]] nlohmann::ordered_json flow_json(const GradientFlow& flow);

}  // namespace unroll
