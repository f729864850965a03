#include "cli/verbs/task_models.h"

#include <fmt/core.h>

#include <string_view>

#include "unroll/error.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// The verb that runs models of a task.
std::string_view verb_of(TaskKind task) {
  switch (task) {
    case TaskKind::kLanguage:
      return "score";
    case TaskKind::kClassify:
      return "classify";
    case TaskKind::kTag:
      return "tag";
    case TaskKind::kConditional:
      return "generate";
    case TaskKind::kRegress:
      return "predict";
  }
  return {};
}

}  // namespace

Model load_model_for(const std::string& path, TaskKind task) {
  Model model = Model::load(path);
  const TaskKind kind = model.task().kind;
  if (model.config().vocabulary == 0) {
    throw Error(ErrorCode::kUsage,
                fmt::format("{} is a model of sequences of numbers, for unroll predict and eval", text_name(path)));
  }
  if (kind == task) return model;
  throw Error(ErrorCode::kUsage,
              fmt::format("{} is a model of the task {}, for unroll {}: unroll {} runs models that unroll train --task "
                          "{} made",
                          text_name(path), task_name(kind), verb_of(kind), verb_of(task), task_name(task)));
}

}  // namespace unroll
