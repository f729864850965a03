// The training log: one JSON object per line and step.
#pragma once

#include <cstdint>
#include <string>

#include "unroll/train.h"

namespace unroll {

// Writes {"step","tokens","nats_per_token","lr","grad_norm","tokens_per_s"} and, where validation ran after the step,
// "valid_nats_per_token" and, of averaged weights, "average_valid_nats_per_token". Every line is handed to the system
// whole, at once: whatever kills the program, the log is never behind a saved step.
class TrainingLog {
 public:
  // "-" is standard output; an empty path logs nothing. Opens nothing yet.
  explicit TrainingLog(std::string path);
  ~TrainingLog();
  TrainingLog(const TrainingLog&) = delete;
  TrainingLog& operator=(const TrainingLog&) = delete;

  // Before the first step. first_step 0: an old log is emptied. Otherwise it is cut back to the lines up to that step,
  // and a last line that was only half written goes too. Throws Error{kFile} when it cannot be opened or cut,
  // Error{kInput} when a file to be cut is no training log (it stays as it is).
  void start(std::int64_t first_step);

  // Throws Error{kFile}: no space. Standard output whose reader went away is not written any more.
  void add(const StepReport& report);

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace unroll
