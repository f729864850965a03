// `compare` of models that classify texts.
#pragma once

#include <string>
#include <vector>

#include "cli/flags/asked_task.h"

namespace unroll {

int run_compare_labels(const std::vector<std::string>& arguments, const FirstModel& first);

}  // namespace unroll
