// Networks before their training, as requests describe them.
#pragma once

#include <vector>

#include "server/api/request_fields.h"
#include "unroll/look/untrained.h"

namespace unroll {

// The field `untrained`: a list of up to 4 objects {"cell", "hidden", "radius", "forget_bias", "seed"}, of which each
// member may be missing, with up to 256 units; empty where it is missing. Throws ApiError with status 400.
[[nodiscard]] std::vector<UntrainedNetwork> untrained_fields(RequestFields& fields);

}  // namespace unroll
