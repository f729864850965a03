// The training log: one JSON object per line and step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unroll/error.h"
#include "unroll/train.h"

namespace unroll {

// Writes {"step","tokens","nats_per_token","lr","grad_norm","tokens_per_s"} and, where validation ran after the step,
// "valid_nats_per_token" and, of averaged weights, "average_valid_nats_per_token". Where the text has unknown tokens,
// their share of all follows: "train_unknown_share", and with validation "valid_unknown_share". Each line is written
// with one system call: if the program is killed, the log is never behind a saved step.
class TrainingLog {
 public:
  // "-" is standard output; an empty path logs nothing. Opens nothing yet.
  explicit TrainingLog(std::string path);
  ~TrainingLog();
  TrainingLog(const TrainingLog&) = delete;
  TrainingLog& operator=(const TrainingLog&) = delete;

  // Call before the first step. Empties an old log if plan.first_step is 0; else cuts it back to the lines up to that
  // step, dropping an incomplete last line. Throws Error{kFile} if it cannot be opened or cut, Error{kInput} if one of
  // its lines is not exactly what this class writes (then it stays as it is).
  void start(const TrainPlan& plan);

  // After a failure, for lack of space, nothing more is written. Writes no more to a standard output whose reader is
  // gone, which is not a failure.
  void add(const StepReport& report);

  // Why it could not be written.
  [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }

  // After a failure, tries once more to write the line that is missing; whether that succeeds.
  bool finish();

 private:
  bool write_rest();

  std::string path_;
  int descriptor_ = -1;
  std::string rest_;  // of the line that is being written
  std::optional<Error> failure_;
  double train_unknown_ = 0;  // shares of the text
  double valid_unknown_ = 0;
};

}  // namespace unroll
