// A run, decided: everything that the trainer does, with nothing left to choose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/reading.h"
#include "train/averaging.h"
#include "train/initial_weights.h"
#include "train/optimizer.h"
#include "train/options.h"
#include "train/pacing.h"
#include "train/training_text.h"
#include "train/transfer.h"
#include "unroll/model.h"
#include "unroll/train.h"

namespace unroll {

// Gives the observer a note, if it takes any.
void note(const TrainObserver& observer, std::string_view sentence);

// How long a run lasts, as asked for.
struct RunLength {
  enum class Unit { kEpochs, kSteps, kMinutes };
  Unit unit = Unit::kEpochs;
  double amount = 0;
};

// "epochs 10", "steps 500", "minutes 2".
[[nodiscard]] std::string describe(const RunLength& length);

// Steps and rows of a window.
struct WindowSize {
  std::int64_t T = 0;
  std::int64_t B = 0;
};

// Constant once made. Only the number of steps of a run of minutes, and of a save where nobody asked for one, wait for
// a measurement (TrainingRun::measure).
struct RunPlan {
  // What is trained, and from where.
  NetworkConfig config = {};
  Regularization regularization = {};
  InitialWeights initial = {};  // unless there are weights to start from
  std::int64_t samples = 0;     // of a sampled softmax; 0: the loss is exact
  Precision precision = Precision::kF32;
  std::string precision_reason = {};  // empty where it was asked for

  // Windows.
  Reading reading = {};
  std::int64_t replicas = 1;     // R: dist/shares.h
  WindowSize window = {};        // the largest of a replica
  std::int64_t batch_size = 1;   // B; of tasks the texts of a window
  std::int64_t bptt = 1;         // T
  std::int64_t bptt_jitter = 0;  // J

  // Updates.
  UpdateRule update = {};
  double lr = 0;
  Schedule schedule = Schedule::kConstant;
  std::int64_t decay_after = 0;  // kStep
  double decay = 1;              // kStep
  std::int64_t warmup = 0;       // steps; kWarmupOfRun: warmup_steps() of the run's length
  double clip = 0;               // 0: never
  LayerRates layer_rates = {};
  AverageRule average = {};

  // Length and pace.
  RunLength length = {};
  EpochShape epoch = {};
  std::int64_t patience = 0;    // validations; 0: never
  std::int64_t save_every = 0;  // steps; 0: by time, see save_interval()

  std::uint64_t seed = 0;
  int threads = 0;             // 0: one per core that the process may use
  std::string save = {};       // path of the model file
  NamedValues recorded = {};   // what decides the result, as a model file records it
  bool text_in_memory = true;  // else in a file, of which validations copy their part
  std::vector<MemoryItem> memory = {};
};

// Under this name a record holds the checksum of the model that the run began from, where there was one.
inline constexpr std::string_view kFrom = "from";
// Under this name a record has a hash of the word vectors that the embedding started from.
inline constexpr std::string_view kVectors = "vectors";

inline constexpr std::int64_t kWarmupOfRun = -1;

// What a plan is made from.
struct RunInputs {
  const TrainOptions& options;  // resolved
  const TrainingText& text;
  const Model* from = nullptr;           // weights to start from: all of a language model, or part of a task's
  const NamedValues* resumed = nullptr;  // options that the run to resume recorded; null: this one begins
};

// Decides a run. `observer` gets notes about what differs from what was asked for. Throws Error{kUsage} where options
// contradict the model to start from or the text, Error{kInput} for too short a text.
[[nodiscard]] RunPlan plan_run(const RunInputs& inputs, const TrainObserver& observer);

// Steps of linear warm-up in a run of `steps`.
[[nodiscard]] std::int64_t warmup_steps(const RunPlan& plan, std::int64_t steps) noexcept;

// Steps of the run; empty for a run of minutes. Throws Error{kUsage} where epochs are more than kMostSteps.
[[nodiscard]] std::optional<std::int64_t> planned_steps(const RunPlan& plan);

// What decides the bits of training on this processor: "AVX2", "AVX3_ZEN4, bf16".
[[nodiscard]] std::string training_instruction_set();

}  // namespace unroll
