// The output of `train` for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "cli/streams/terminal.h"
#include "unroll/train.h"

namespace unroll {

// Shows the reports of a run on a Terminal: the plan, a live line, lines of validations, and a summary.
class TrainProgress {
 public:
  explicit TrainProgress(Terminal* terminal);

  // Before the first step: sizes of model and text, memory, cost, ln V. Where tokens are characters, losses are also
  // shown as bits per character.
  void plan(const TrainPlan& plan);

  // Updates the live line. After a validation, prints a line that stays, marked if it is the best so far.
  void step(const StepReport& report);

  // Lines that stay: what the network writes after that step.
  void sample(std::int64_t step, std::string_view text);

  void validation(std::int64_t done, std::int64_t total);

  // After the run: losses, and where the model is.
  void summary(const TrainResult& result, std::string_view model_path);

 private:
  void validation_line(std::int64_t step, std::string_view what, double nats);
  void answers_line(const StepReport& report);
  [[nodiscard]] bool is_language() const noexcept;
  // `unknown` is the share of unknown tokens of the text: with any, bits per character cannot be compared.
  [[nodiscard]] std::string loss_words(double nats, double unknown) const;

  Terminal* terminal_;
  TrainPlan plan_;
  double train_unknown_ = 0;  // shares
  double valid_unknown_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::int64_t steps_seen_ = 0;
  double mean_nats_ = 0;
  double mean_tokens_per_s_ = 0;
  double best_valid_ = 0;
  double best_accuracy_ = 0;
  bool validated_ = false;
};

}  // namespace unroll
