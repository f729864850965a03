// `tune` of models that classify texts.
#pragma once

#include <string>
#include <vector>

#include "cli/flags/asked_task.h"

namespace unroll {

// Reads the arguments of `tune` for such models, chooses, prints. Returns 1 where the target cannot be reached.
int run_tune_answers(const std::vector<std::string>& arguments, const FirstModel& first);

}  // namespace unroll
