#include "nn/dropout.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/philox.h"
#include "kernels/arrays.h"

namespace unroll {
namespace {

constexpr std::int64_t kRowsPerTask = 64;

// Forward and backward are the same map: x m / (1 - p).
void multiply_by_mask(Workers& workers, const DropoutKey& key, std::uint32_t connection, MatView<const float> x,
                      MatView<float> y) {
  // Of 2^32 words those below the threshold drop their unit; a probability just below 1 must not round to all of them.
  const auto threshold = static_cast<std::uint32_t>(std::min(std::round(key.probability * 0x1p32), 0x1p32 - 1));
  const auto factor = static_cast<float>(1.0 / (1.0 - key.probability));
  const std::uint32_t stream = static_cast<std::uint32_t>(RandomPurpose::kDropout) << 16 | connection;
  const auto N = static_cast<std::size_t>(x.cols);
  workers.run_ranges(x.rows, kRowsPerTask, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      drop_units({x.row(r), N}, {y.row(r), N}, {key.step, stream, static_cast<std::uint32_t>(r)}, key.seed, threshold,
                 factor);
    }
  });
}

}  // namespace

void dropout_forward(Workers& workers, const DropoutKey& key, std::uint32_t connection, MatView<const float> x,
                     MatView<float> y) {
  multiply_by_mask(workers, key, connection, x, y);
}

void dropout_backward(Workers& workers, const DropoutKey& key, std::uint32_t connection, MatView<const float> dy,
                      MatView<float> dx) {
  multiply_by_mask(workers, key, connection, dy, dx);
}

}  // namespace unroll
