#include <fmt/core.h>

#include <string>
#include <vector>

#include "cli/flags/asked_task.h"
#include "cli/verbs/compare_labels.h"
#include "cli/verbs/compare_tags.h"
#include "cli/verbs/verbs.h"
#include "unroll/error.h"

namespace unroll {

// Without a model, for help and for messages, it is about models that classify.
int run_compare(const std::vector<std::string>& arguments) {
  const FirstModel first = find_first_model(arguments);
  if (first.task == TaskKind::kTag) return run_compare_tags(arguments, first);
  if (first.task != TaskKind::kClassify && first.model) {
    throw Error(ErrorCode::kUsage,
                fmt::format("compare is for models that classify texts or tag words, and '{}' is for the task {}: "
                            "unroll eval prints what it is worth",
                            first.path, task_name(first.task)));
  }
  return run_compare_labels(arguments, first);
}

}  // namespace unroll
