// Reads what `unroll train --log` wrote.
#pragma once

#include <string>
#include <vector>

#include "draw/run_curves.h"

namespace unroll {

struct LoggedRun {
  std::string name;  // the log's, without folders and ending
  RunCurves curves;
  std::vector<RunSample> samples = {};
};

// Reads a training log, also of a run that is going on: a last line without an end is left out. Throws Error{kFile} if
// it cannot be read, Error{kInput} naming the first line that is not one of a log, or if it has no step.
[[nodiscard]] LoggedRun read_run_log(const std::string& path);

}  // namespace unroll
