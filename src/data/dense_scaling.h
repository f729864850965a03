// Shifts and factors by which the numbers of sequences become those that a network works with.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "unroll/data/dense.h"

namespace unroll {

// One of each per column; empty: numbers stay as they are.
struct DenseScaling {
  std::vector<double> shift;
  std::vector<double> factor;  // finite, not 0
};

// A network reads (x - shift) * factor. Statistics are those of these sequences.
[[nodiscard]] DenseScaling input_scaling(const DenseData& data, DenseScale scale,
                                         std::span<const std::size_t> sequences);

// A target is y * factor + shift for a network's output y: mean and standard deviation over these sequences, factor 1
// where a target never varies. Requires numbers as targets.
[[nodiscard]] DenseScaling target_scaling(const DenseData& data, std::span<const std::size_t> sequences);

// values (rows, columns) = (values - shift) * factor, each rounded once.
void scale_inputs(const DenseScaling& scaling, std::span<float> values);

// y (rows, columns) for targets: (number - shift) / factor.
[[nodiscard]] std::vector<float> scaled_targets(const DenseScaling& scaling, std::span<const double> numbers);

}  // namespace unroll
