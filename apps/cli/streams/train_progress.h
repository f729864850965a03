// What `train` tells a person while it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "cli/streams/terminal.h"
#include "unroll/train.h"

namespace unroll {

// Turns the trainer's reports into a plan, a live line, validation lines and a summary on a Terminal.
class TrainProgress {
 public:
  // characters: a token is a character, so that losses also read as bits per character.
  TrainProgress(Terminal* terminal, bool characters);

  // Model size, memory, cost, and ln V: printed before the first step.
  void plan(const TrainPlan& plan);

  // Live line, and a line that stays where validation ran, marked where it is the best so far.
  void step(const StepReport& report);

  void validation(std::int64_t done, std::int64_t total);

  // The last words: what came out and where it is.
  void summary(const TrainResult& result, std::string_view model_path);

 private:
  void validation_line(std::int64_t step, std::string_view what, double nats);
  [[nodiscard]] std::string loss_words(double nats) const;

  Terminal* terminal_;
  bool characters_;
  TrainPlan plan_;
  std::chrono::steady_clock::time_point start_;
  std::int64_t steps_seen_ = 0;
  double mean_nats_ = 0;
  double mean_tokens_per_s_ = 0;
  double best_valid_ = 0;
  bool validated_ = false;
};

}  // namespace unroll
