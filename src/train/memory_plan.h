// The memory that a run takes.
#pragma once

#include <cstdint>
#include <vector>

#include "train/run_plan.h"
#include "unroll/train.h"

namespace unroll {

// Weights that take part in products of a training step: all but the output layer's rows that a sampled softmax does
// not draw.
[[nodiscard]] std::int64_t trained_products(const RunPlan& plan) noexcept;

// Everything that a run keeps in memory, before any of it is allocated. Reads all of `plan` but plan.memory.
[[nodiscard]] std::vector<MemoryItem> memory_plan(const RunPlan& plan);

// All items together, which may be more than an integer holds.
[[nodiscard]] double total_bytes(const std::vector<MemoryItem>& items) noexcept;

// Throws Error{kMemory} where the items together exceed this machine's memory.
void check_memory(const std::vector<MemoryItem>& items);

}  // namespace unroll
