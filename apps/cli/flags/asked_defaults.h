// The defaults of train, which depend on some of its flags.
#pragma once

#include <string>
#include <vector>

#include "unroll/train.h"

namespace unroll {

// The defaults of the task, the input and the tokenizer that a command line, or else its recipe, names; known before
// the flags are declared, since each task has flags of its own. Throws Error{kUsage} if the command line names unknown
// ones, or another task than its recipe.
[[nodiscard]] TrainOptions asked_defaults(const std::vector<std::string>& arguments);

}  // namespace unroll
