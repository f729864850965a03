// What /v1/models says about a model.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "server/models/models.h"

namespace unroll {

// An entry of OpenAI's lists, {"id", "object", "created", "owned_by"}, with {"unroll": {...}}: sizes, parameters in all
// and by kind, gates, labels.
[[nodiscard]] nlohmann::ordered_json model_facts(const ServedModel& served);

}  // namespace unroll
