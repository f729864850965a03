// Where an epoch is cut into windows.
#pragma once

#include <cstdint>

namespace unroll {

// Window i of an epoch begins at step i T + j_i, where j_0 = 0 and the others are whole numbers from -J to J, all
// equally likely, drawn anew in each epoch, so that gradients stop at other places. There are as many windows as with
// J = 0, each of T - 2J to T + 2J steps, except the last, which ends with the epoch and has at least one step.
// After Merity et al. 2018, section 5, who draw each window's length instead; here any window is found directly.
//
// Requires 2 J < T, and `length` >= 1 steps in an epoch. j_i depends on seed, epoch and i alone.
struct WindowCuts {
  std::int64_t T = 1;
  std::int64_t J = 0;
  std::int64_t length = 1;
  std::uint64_t seed = 0;

  [[nodiscard]] std::int64_t windows() const noexcept { return (length + T - 1) / T; }

  // The first step of window i, 0 <= i <= windows(); for i = windows(), the length.
  [[nodiscard]] std::int64_t first(std::int64_t epoch, std::int64_t i) const noexcept;
};

}  // namespace unroll
