#include "unroll/task.h"

#include "base/names.h"

namespace unroll {
namespace {

constexpr std::string_view name_of_task(TaskKind kind) noexcept {
  switch (kind) {
    case TaskKind::kLanguage:
      return "language";
    case TaskKind::kClassify:
      return "classify";
    case TaskKind::kTag:
      return "tag";
    case TaskKind::kConditional:
      return "conditional";
    case TaskKind::kRegress:
      return "regress";
  }
  return {};
}

}  // namespace

std::string_view task_name(TaskKind kind) noexcept { return name_of_task(kind); }
TaskKind parse_task(std::string_view text) { return parse_name<TaskKind, name_of_task>("task", text); }

}  // namespace unroll
