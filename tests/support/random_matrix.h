// Random matrices for tests: values in [-1, 1) that depend on the seed alone.
#pragma once

#include <cstdint>
#include <vector>

#include "base/philox.h"
#include "base/view.h"

namespace unroll {

struct RandomMatrix {
  RandomMatrix(std::int64_t rows, std::int64_t cols, std::uint64_t seed)
      : values(static_cast<std::size_t>(rows * cols)), view(values.data(), rows, cols) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto words = random_words(seed, 0, RandomPurpose::kTestPoint, 0, 0, static_cast<std::uint32_t>(i));
      values[i] = 2 * uniform_float(words[0]) - 1;
    }
  }

  std::vector<float> values;
  MatView<float> view;
};

}  // namespace unroll
