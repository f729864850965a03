// Sequences of numbers as a network reads them.
#pragma once

#include <cstddef>
#include <span>

#include "data/dense_scaling.h"
#include "label/examples.h"
#include "unroll/data/dense.h"

namespace unroll {

// The examples of these sequences, in this order: inputs scaled by `inputs`, numbers to learn by `outputs`.
[[nodiscard]] Examples dense_examples(const DenseData& data, std::span<const std::size_t> sequences,
                                      const DenseScaling& inputs, const DenseScaling& outputs);

}  // namespace unroll
