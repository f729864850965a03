// What task a command line is about, known before its flags are read: each task has flags of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unroll/model.h"

namespace unroll {

// The value of a flag, if it is given: of one that decides which others there are.
[[nodiscard]] std::optional<std::string> asked_value(const std::vector<std::string>& arguments,
                                                     const std::string& flag);

// The value of --task, if it is given. Throws as parse_task().
[[nodiscard]] std::optional<TaskKind> asked_task(const std::vector<std::string>& arguments);

// For verbs whose flags follow from the model that they read.
struct FirstModel {
  TaskKind task = TaskKind::kLanguage;  // what was asked for, or else that of the model, or else this
  std::string path;                     // of the first argument that is a model file; empty: there is none
  std::optional<Model> model;           // that one, loaded

  // Model::load, but of `path` the one that is loaded already.
  [[nodiscard]] Model load(const std::string& wanted) const;
};

// Loads the first argument that is a model in a regular file; what cannot be loaded is passed over here, and refused
// when the verb loads it. Throws as asked_task(), and Error{kUsage} if the model is of another task than asked for.
[[nodiscard]] FirstModel find_first_model(const std::vector<std::string>& arguments);

}  // namespace unroll
