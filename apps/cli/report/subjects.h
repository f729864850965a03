// What a report is about: runs with their logs, and models.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "draw/pictures/curves.h"
#include "draw/run_log.h"
#include "unroll/model.h"

namespace unroll {

inline constexpr std::size_t kMostSubjects = 6;  // the lines that a picture has

struct Subject {
  std::string name;
  std::optional<LoggedRun> log = {};
  std::optional<Model> model = {};
  RunCurves curves = {};  // the log's, or else the history of the model
};

// Those of the paths: training logs, models, and folders of both, whose other files are left out. A log and a model in
// one folder are one subject where their names without endings are the same, or where the folder has no other. Throws
// Error{kUsage} for more than kMostSubjects and for a folder with neither, and what Model::load() and read_run_log()
// throw.
[[nodiscard]] std::vector<Subject> read_subjects(const std::vector<std::string>& paths);

// Files of the paths that are read.
[[nodiscard]] std::vector<std::string> subject_files(const std::vector<std::string>& paths);

// For pictures; the subjects must outlive them. Those without a step are left out.
[[nodiscard]] std::vector<NamedRun> named_runs(const std::vector<Subject>& subjects);

}  // namespace unroll
