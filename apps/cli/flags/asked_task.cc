#include "cli/flags/asked_task.h"

#include <fmt/core.h>

#include <filesystem>

#include "unroll/error.h"

namespace unroll {
namespace {

bool is_regular_model(const std::string& path) {
  std::error_code unknown;
  return std::filesystem::is_regular_file(path, unknown) && is_model_file(path);
}

// What a model of one task says to those who take it for one of another.
void expect_task(const FirstModel& first, TaskKind asked) {
  if (!first.model || first.model->task().kind == asked) return;
  throw Error(ErrorCode::kUsage, fmt::format("--task {}: '{}' is a model for the task {}", task_name(asked), first.path,
                                             task_name(first.model->task().kind)));
}

}  // namespace

std::optional<std::string> asked_value(const std::vector<std::string>& arguments, const std::string& flag) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") break;
    if (argument == flag && i + 1 < arguments.size()) return arguments[i + 1];
    if (argument.starts_with(flag + "=")) return argument.substr(flag.size() + 1);
  }
  return std::nullopt;
}

std::optional<TaskKind> asked_task(const std::vector<std::string>& arguments) {
  const std::optional<std::string> name = asked_value(arguments, "--task");
  return name ? std::optional(parse_task(*name)) : std::nullopt;
}

Model FirstModel::load(const std::string& wanted) const {
  return model && wanted == path ? *model : Model::load(wanted);
}

FirstModel find_first_model(const std::vector<std::string>& arguments) {
  FirstModel first;
  for (const std::string& argument : arguments) {
    // "--model=a.safetensors" too.
    const std::string path = argument.starts_with("-") ? argument.substr(argument.find('=') + 1) : argument;
    if (!is_regular_model(path)) continue;
    try {
      first.model = Model::load(path);
      first.path = path;
      first.task = first.model->task().kind;
    } catch (const Error&) {
      continue;
    }
    break;
  }
  if (const std::optional<TaskKind> asked = asked_task(arguments)) {
    expect_task(first, *asked);
    first.task = *asked;
  }
  return first;
}

}  // namespace unroll
