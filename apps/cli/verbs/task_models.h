// Models of one task, for the verbs that run them.
#pragma once

#include <string>

#include "unroll/model.h"

namespace unroll {

// Loads a model. Throws as Model::load(), and Error{kUsage} for a model of another task, naming the verb that runs it.
[[nodiscard]] Model load_model_for(const std::string& path, TaskKind task);

}  // namespace unroll
