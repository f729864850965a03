// The metadata "task" of a model file: what its outputs are called (docs/format.md).
#pragma once

#include <string>

#include "model/strict_json.h"
#include "unroll/network.h"
#include "unroll/task.h"

namespace unroll {

// The JSON of a task that is not kLanguage.
[[nodiscard]] std::string task_metadata(const Task& task);

// Its inverse. `where` begins messages. Throws Error{kFormat} for missing or wrong fields, and for a task that does not
// fit the network: labels as many as outputs or conditions, each once and not empty; numbers as many as inputs and
// outputs, finite, factors not 0.
[[nodiscard]] Task task_from_metadata(const std::string& text, const NetworkConfig& config, const std::string& where);

}  // namespace unroll
