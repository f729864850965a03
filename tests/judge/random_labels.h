// Random labels and answers, the same in each run.
#pragma once

#include <cstdint>
#include <vector>

#include "base/philox.h"

namespace unroll {

inline double random_number(std::uint32_t stream, std::size_t i) {
  const auto words = random_words(7, stream, RandomPurpose::kTestPoint, 0, static_cast<std::uint32_t>(i), 0);
  return uniform_double(words[0], words[1]);
}

// The smaller the number, the more frequent the label; those above 0.7 K do not occur.
inline std::vector<std::int32_t> random_labels(std::uint32_t stream, std::size_t N, std::int32_t K) {
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < N; ++i) {
    const double u = random_number(stream, i);
    labels.push_back(static_cast<std::int32_t>(0.7 * K * u * u));
  }
  return labels;
}

// `right` with a share of other labels of 0 .. K - 1.
inline std::vector<std::int32_t> random_answers(std::uint32_t stream, const std::vector<std::int32_t>& right,
                                                std::int32_t K, double wrong) {
  std::vector<std::int32_t> answers = right;
  for (std::size_t i = 0; i < right.size(); ++i) {
    const double u = random_number(stream, i);
    if (u < wrong) answers[i] = static_cast<std::int32_t>(u / wrong * K);
  }
  return answers;
}

}  // namespace unroll
