// `eval` of a model that tags words.
#pragma once

#include <string>
#include <vector>

#include "cli/flags/asked_task.h"

namespace unroll {

// `first` is the model that the arguments name, if one can be loaded.
int run_eval_tags(const std::vector<std::string>& arguments, const FirstModel& first);

}  // namespace unroll
