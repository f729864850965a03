// Both directions: a second layer reads the texts of a window from their ends.
#pragma once

#include <cstdint>
#include <span>

#include "base/view.h"
#include "base/workers.h"

namespace unroll {

// A window of T steps and B rows holds whole texts: each begins with a reset bit, as does whatever follows it in its
// row. The backward layer is the same cell, run on the window reversed in time, in which step s is step T-1-s:
//
//   h_t of the forward layer from x_1 .. x_t     k_t of the backward layer from x_n .. x_t     y_t = [h_t, k_t]
//
// Source   Schuster & Paliwal 1997; names and order of PyTorch's bidirectional modules; docs/math/directions.md.
struct Steps {
  std::int64_t T = 0;
  std::int64_t B = 0;
};

// Row (T-1-t) B + b of y = row t B + b of x. Shapes: x, y (T*B, N), not the same memory.
void reverse_steps(Workers& workers, const Steps& steps, MatView<const float> x, MatView<float> y);

// The bits of the reversed window: zero state before a step that is the last of its text, and before the first one.
void reverse_resets(const Steps& steps, std::span<const std::uint8_t> reset, std::span<std::uint8_t> reversed);

// y_t = [h_t, k_t] from the outputs h and, in reversed time, k (T*B, H). Sets y (T*B, 2H).
void join_directions(Workers& workers, const Steps& steps, MatView<const float> h, MatView<const float> k,
                     MatView<float> y);

// Backward of join_directions: sets dh, and dk in reversed time, to the halves of dy.
void split_directions(Workers& workers, const Steps& steps, MatView<const float> dy, MatView<float> dh,
                      MatView<float> dk);

// Backward of reverse_steps: dx += dy in reversed time.
void add_reversed_steps(Workers& workers, const Steps& steps, MatView<const float> dy, MatView<float> dx);

}  // namespace unroll
