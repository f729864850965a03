// `compare` of models that tag words.
#pragma once

#include <string>
#include <vector>

#include "cli/flags/asked_task.h"

namespace unroll {

int run_compare_tags(const std::vector<std::string>& arguments, const FirstModel& first);

}  // namespace unroll
