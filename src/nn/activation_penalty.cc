#include "nn/activation_penalty.h"

#include "kernels/arrays.h"

namespace unroll {
namespace {
constexpr std::int64_t kPenalizedRows = 32;
}  // namespace

void add_activation_penalty(Workers& workers, double factor, MatView<const float> y, MatView<float> dy) {
  const auto slope = static_cast<float>(2 * factor / static_cast<double>(y.size()));
  workers.run_ranges(y.rows, kPenalizedRows, [&](std::int64_t first, std::int64_t last) {
    add_scaled(slope, y.row_range(first, last - first).flat(), dy.row_range(first, last - first).flat());
  });
}

void add_temporal_penalty(Workers& workers, double factor, std::int64_t B, std::span<const std::uint8_t> reset,
                          MatView<const float> h, MatView<float> dh) {
  if (h.rows <= B) return;
  const auto slope = static_cast<float>(2 * factor / static_cast<double>((h.rows - B) * h.cols));
  const auto N = static_cast<std::size_t>(h.cols);
  // Whether the state is carried from the previous step to row r.
  const auto follows = [&](std::int64_t r) {
    return r >= B && r < h.rows && (reset.empty() || reset[static_cast<std::size_t>(r)] == 0);
  };
  workers.run_ranges(h.rows, kPenalizedRows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const std::span<float> out(dh.row(r), N);
      for (const std::int64_t other : {follows(r) ? r - B : r, follows(r + B) ? r + B : r}) {
        if (other == r) continue;
        add_scaled(slope, {h.row(r), N}, out);
        add_scaled(-slope, {h.row(other), N}, out);
      }
    }
  });
}

}  // namespace unroll
