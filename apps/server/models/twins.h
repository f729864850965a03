// The small models that are built into the program: three to compare cells with, equal but for their cell, and a
// classifier.
#pragma once

#include <vector>

#include "server/models/models.h"

namespace unroll {

// "tanh-twin", "gru-twin", "lstm-twin" and "testament-twin", as far as the program has them (web/twins/).
[[nodiscard]] std::vector<NamedModel> twin_models();

}  // namespace unroll
