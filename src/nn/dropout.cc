#include "nn/dropout.h"

#include <algorithm>
#include <cmath>

#include "kernels/arrays.h"

namespace unroll {
namespace {

constexpr std::int64_t kMaskedRows = 64;

// Words below the threshold, of 2^32, drop their unit; a probability just below 1 must not round to all of them.
std::uint32_t threshold_of(const DropoutMask& mask) {
  return static_cast<std::uint32_t>(std::min(std::round(mask.probability * 0x1p32), 0x1p32 - 1));
}

float factor_of(const DropoutMask& mask) { return static_cast<float>(1.0 / (1.0 - mask.probability)); }

// Forward and backward are the same map: x m / (1 - p).
void multiply_by_mask(Workers& workers, const DropoutMask& mask, MatView<const float> x, MatView<float> y) {
  const std::uint32_t threshold = threshold_of(mask);
  const float factor = factor_of(mask);
  const std::uint32_t stream = static_cast<std::uint32_t>(mask.purpose) << 16 | mask.index;
  const auto N = static_cast<std::size_t>(x.cols);
  workers.run_ranges(x.rows, kMaskedRows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      drop_units({x.row(r), N}, {y.row(r), N}, {mask.key.step, stream, mask.rows.at(r)}, mask.key.seed, threshold,
                 factor);
    }
  });
}

void multiply_by_word_mask(Workers& workers, const DropoutMask& mask, std::span<const std::int32_t> ids,
                           MatView<const float> x, MatView<float> y) {
  const std::uint32_t threshold = threshold_of(mask);
  const float kept = factor_of(mask);
  workers.run_ranges(x.rows, kMaskedRows, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const auto id = static_cast<std::uint32_t>(ids[static_cast<std::size_t>(r)]);
      const auto words = random_words(mask.key.seed, mask.key.step, mask.purpose, mask.index, id, 0);
      const float factor = words[0] < threshold ? 0.0F : kept;
      std::transform(x.row(r), x.row(r) + x.cols, y.row(r), [factor](float value) { return factor * value; });
    }
  });
}

}  // namespace

void dropout_forward(Workers& workers, const DropoutMask& mask, MatView<const float> x, MatView<float> y) {
  multiply_by_mask(workers, mask, x, y);
}

void dropout_backward(Workers& workers, const DropoutMask& mask, MatView<const float> dy, MatView<float> dx) {
  multiply_by_mask(workers, mask, dy, dx);
}

void word_dropout_forward(Workers& workers, const DropoutMask& mask, std::span<const std::int32_t> ids,
                          MatView<const float> x, MatView<float> y) {
  multiply_by_word_mask(workers, mask, ids, x, y);
}

void word_dropout_backward(Workers& workers, const DropoutMask& mask, std::span<const std::int32_t> ids,
                           MatView<const float> dy, MatView<float> dx) {
  multiply_by_word_mask(workers, mask, ids, dy, dx);
}

}  // namespace unroll
