// A short name of the texts of a task, equal for equal ones.
#pragma once

#include <string>

#include "train/training_text.h"

namespace unroll {

// "9f86d081884c7d65, 6920 + 872 texts": of what both parts hold, and of the labels.
[[nodiscard]] std::string task_fingerprint(const TaskText& task);

}  // namespace unroll
