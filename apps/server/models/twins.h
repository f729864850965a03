// The small models that are built into the program, to compare cells with: equal but for their cell.
#pragma once

#include <vector>

#include "server/models/models.h"

namespace unroll {

// "tanh-twin", "gru-twin" and "lstm-twin", as far as the program has them (web/twins/).
[[nodiscard]] std::vector<NamedModel> twin_models();

}  // namespace unroll
