#include "nn/directions.h"

#include <algorithm>

#include "kernels/arrays.h"
#include "nn/recurrent_steps.h"

namespace unroll {
namespace {

// Calls each(row, the row at the same place in reversed time) for all rows.
template <class Each>
void for_each_reversed(Workers& workers, const Steps& s, const Each& each) {
  workers.run_ranges(s.T * s.B, kCopiedRows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) each(r, (s.T - 1 - r / s.B) * s.B + r % s.B);
  });
}

std::span<const float> step_row(MatView<const float> x, std::int64_t r) {
  return {x.row(r), static_cast<std::size_t>(x.cols)};
}

}  // namespace

void reverse_steps(Workers& workers, const Steps& steps, MatView<const float> x, MatView<float> y) {
  for_each_reversed(workers, steps,
                    [&](std::int64_t r, std::int64_t reversed) { std::ranges::copy(step_row(x, r), y.row(reversed)); });
}

void reverse_resets(const Steps& steps, std::span<const std::uint8_t> reset, std::span<std::uint8_t> reversed) {
  const std::int64_t rows = steps.T * steps.B;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t next = r + steps.B;
    const bool is_last = next >= rows || reset[static_cast<std::size_t>(next)] != 0;
    const std::int64_t at = (steps.T - 1 - r / steps.B) * steps.B + r % steps.B;
    reversed[static_cast<std::size_t>(at)] = is_last ? 1 : 0;
  }
}

void join_directions(Workers& workers, const Steps& steps, MatView<const float> h, MatView<const float> k,
                     MatView<float> y) {
  for_each_reversed(workers, steps, [&](std::int64_t r, std::int64_t reversed) {
    std::ranges::copy(step_row(h, r), y.row(r));
    std::ranges::copy(step_row(k, reversed), y.row(r) + h.cols);
  });
}

void split_directions(Workers& workers, const Steps& steps, MatView<const float> dy, MatView<float> dh,
                      MatView<float> dk) {
  for_each_reversed(workers, steps, [&](std::int64_t r, std::int64_t reversed) {
    std::copy_n(dy.row(r), dh.cols, dh.row(r));
    std::copy_n(dy.row(r) + dh.cols, dk.cols, dk.row(reversed));
  });
}

void add_reversed_steps(Workers& workers, const Steps& steps, MatView<const float> dy, MatView<float> dx) {
  for_each_reversed(workers, steps, [&](std::int64_t r, std::int64_t reversed) {
    add(step_row(dy, reversed), {dx.row(r), static_cast<std::size_t>(dx.cols)});
  });
}

}  // namespace unroll
