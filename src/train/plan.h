// What a run will take: memory, steps, and how often it validates and saves.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/train.h"

namespace unroll {

// Weights that take part in products of a training step: all but the output layer's rows that a sampled softmax does
// not draw.
[[nodiscard]] std::int64_t trained_products(const NetworkConfig& config, const TrainOptions& options) noexcept;

// Everything that a run keeps in memory, before any of it is allocated.
[[nodiscard]] std::vector<MemoryItem> memory_plan(const NetworkConfig& config, const TrainOptions& options,
                                                  std::int64_t tokens, bool validates);

// Steps of the longest window.
[[nodiscard]] std::int64_t most_steps(const TrainOptions& options) noexcept;

// Throws Error{kMemory} when the plan exceeds this machine's memory.
void check_memory(const std::vector<MemoryItem>& plan);

// The shape of an epoch.
struct EpochShape {
  std::int64_t windows = 0;          // steps
  std::int64_t tokens_per_step = 0;  // of a full window
  std::int64_t valid_tokens = 0;     // 0: no validation
  std::int64_t validate_every = 0;   // steps, as asked for; 0: nobody asked
};

// Steps between validations of a run of `steps`; 0: none. As asked for; else after every epoch, but at least ten times
// in a run and seldom enough to cost about a tenth of the training at most. The last step is always validated too. A
// function of counts alone, so that a run repeats.
[[nodiscard]] std::int64_t validation_interval(const EpochShape& epoch, std::int64_t steps);

// How many validations that makes.
[[nodiscard]] std::int64_t validation_count(const EpochShape& epoch, std::int64_t steps);

// What was measured before the first step, in seconds.
struct MeasuredCost {
  double per_step = 0;
  double per_validation = 0;
  double per_save = 0;
};

// The most steps that fit into `seconds` with their validations and a save every `save_every` steps; 1 at least.
[[nodiscard]] std::int64_t steps_within(const EpochShape& epoch, const MeasuredCost& cost, std::int64_t save_every,
                                        double seconds);

}  // namespace unroll
