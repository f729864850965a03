// Evaluation of models that read sequences of numbers.
#pragma once

#include <string>
#include <vector>

#include "cli/flags/asked_task.h"

namespace unroll {

// unroll eval, where the first model is such a model.
int evaluate_numbers(const std::vector<std::string>& arguments, const FirstModel& first);

}  // namespace unroll
