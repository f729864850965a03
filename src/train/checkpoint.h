// The resume file: everything that a killed run needs to continue as if nothing had happened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/model_file.h"
#include "network/network.h"
#include "network/parameters.h"
#include "train/optimizer.h"
#include "unroll/model.h"

namespace unroll {

// What is reported of an update.
struct StepOutcome {
  double nats_per_token = 0;
  double lr = 0;
  double grad_norm = 0;
  double tokens_per_s = 0;
};

// The state of a run, apart from its tensors.
struct TrainPosition {
  std::int64_t step = 0;                        // updates made
  std::int64_t tokens = 0;                      // predictions trained on
  double nats_since_point = 0;                  // sum of losses since the last point of the history ...
  std::int64_t predictions_since_point = 0;     // ... over this many predictions
  double lr_divisor = 1;                        // of the plateau schedule
  std::int64_t best_step = 0;                   // 0: no validation yet
  double best_nats = 0;                         // nats per token of that validation
  std::optional<double> best_accuracy = {};     // of that validation, where there are labels
  bool best_is_average = false;                 // whether it was of the averaged weights
  std::int64_t average_start = -1;              // steps made when the average of the weights began; -1: not yet
  std::optional<StepOutcome> unvalidated = {};  // the last update, of a run that was stopped during its validation
  // The instruction sets on which the run was begun and resumed: "AVX2", "AVX2; AVX3"; empty: not known.
  std::string instruction_sets = {};
  // Decided once, when the run began.
  std::int64_t steps = 0;
  std::int64_t save_every = 0;
  std::string length;  // as asked for: "minutes 2"
};

// A run's tensors. `best` are the weights of the best validation; without one they are not saved.
struct TrainTensors {
  Parameters& parameters;
  Parameters* best;
  Moments& moments;
  NetworkState* state;  // null: each window begins by itself
  Parameters* average;  // saved once it began, see TrainPosition::average_start
};

// "model.safetensors.resume".
[[nodiscard]] std::string checkpoint_path(const std::string& model_path);

// Whether the file at `path` is a resume file, whole or damaged, to judge by its first bytes. Throws Error{kFile}.
[[nodiscard]] bool is_checkpoint(const std::string& path);

// Replaces the resume file. Equal arguments give equal bytes. Throws Error{kFile}.
void save_checkpoint(const std::string& path, const NetworkConfig& config, const Tokenizer& tokenizer,
                     const TrainingRecord& record, const TrainPosition& position, const TrainTensors& tensors,
                     const ModelUse& use);

// A resume file, read and checked; its tensors stay in the file until restore().
class Checkpoint {
 public:
  // Throws Error{kFile} and Error{kFormat}, the latter also naming the first number of the position or the history that
  // no run can have.
  explicit Checkpoint(const std::string& path);
  ~Checkpoint();
  Checkpoint(Checkpoint&&) noexcept;
  Checkpoint& operator=(Checkpoint&&) noexcept;

  [[nodiscard]] const TrainPosition& position() const noexcept { return position_; }
  [[nodiscard]] const TrainingRecord& record() const noexcept { return record_; }
  [[nodiscard]] const Tokenizer& tokenizer() const noexcept;

  // Copies the tensors into those of a network of the same config. Throws Error{kFormat} if their shapes differ, or if
  // the file has weights of a validation or an average for which there is no place.
  void restore(const TrainTensors& tensors) const;

 private:
  struct File;
  std::unique_ptr<File> file_;
  TrainPosition position_;
  TrainingRecord record_;
};

}  // namespace unroll
