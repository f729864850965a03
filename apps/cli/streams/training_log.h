// The training log: one JSON object per line, for each step, and for samples of what the network writes by then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unroll/error.h"
#include "unroll/train.h"

namespace unroll {

// Writes {"step","tokens","nats_per_token","lr","grad_norm","tokens_per_s"} and, where validation ran after the step,
// "valid_nats_per_token" and, of averaged weights, "average_valid_nats_per_token". Where the text has unknown tokens,
// their share of all follows: "train_unknown_share", and with validation "valid_unknown_share". A sample has a line of
// its own after that of its step, {"step","sample"}; what of it is not UTF-8 reads as U+FFFD. Each line is written with
// one system call: if the program is killed, the log is never behind a saved step.
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

  // Likewise, what the network writes after that step.
  void add_sample(std::int64_t step, const std::string& sample);

  // Why it could not be written.
  [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }

  // After a failure, tries once more to write the line that is missing; whether that succeeds.
  bool finish();

 private:
  void write_line(std::string line);
  bool write_rest();

  std::string path_;
  int descriptor_ = -1;
  std::string rest_;  // of the line that is being written
  std::optional<Error> failure_;
  double train_unknown_ = 0;  // shares of the text
  double valid_unknown_ = 0;
};

}  // namespace unroll
