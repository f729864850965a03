// Random windows for checks of gradients, of language models and of any task.
#pragma once

#include <cstdint>

#include "text/window.h"
#include "unroll/network.h"

namespace unroll {

// Numbers in [-1, 1), exact in every arithmetic.
class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint64_t seed) : seed_(seed) {}

  float next();
  // 0 .. count - 1.
  std::int32_t next_id(std::int64_t count);

 private:
  std::uint64_t seed_;
  std::uint32_t used_ = 0;
};

// Whether windows are of whole texts, as those of tasks and of language models of both directions are.
[[nodiscard]] bool reads_whole_texts(const NetworkConfig& config) noexcept;

// T steps of B rows: of a language model random ids, targets of which some are ignored, resets, and conditions if the
// network has some; of another task whole texts of random lengths, some of two pieces, with random answers and weights.
[[nodiscard]] Window random_window(const NetworkConfig& config, std::int64_t T, std::int64_t B, RandomNumbers& random);

}  // namespace unroll
