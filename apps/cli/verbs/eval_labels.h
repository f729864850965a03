// `eval` of models that classify texts.
#pragma once

#include <string>
#include <vector>

#include "cli/flags/asked_task.h"

namespace unroll {

// Reads the arguments of `eval` for such models, judges, prints.
int run_eval_labels(const std::vector<std::string>& arguments, const FirstModel& first);

}  // namespace unroll
