// One probe: a softmax regression on standardised rows, its strength of L2 chosen on rows of their own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/view.h"
#include "base/workers.h"

namespace unroll {

// How many rows are fitted, choose the strength, and test, in this order.
struct RowParts {
  std::int64_t train = 0;
  std::int64_t choose = 0;
  std::int64_t test = 0;
};

// Makes each column's mean 0 and its variance 1 over the first `rows`, and does the same to the others. A column that
// is constant there becomes 0.
void standardize(std::int64_t rows, MatView<float> x);

struct FittedProbe {
  double l2 = 0;
  double train_loss = 0;  // J at the weights
  bool converged = true;
  double test_nats = 0;                    // sum over the rows to test on whose label is not negative
  std::vector<std::int32_t> answers = {};  // for those rows
};

// Fits with each strength, from the greatest to the least and each from the weights of the one before, and keeps the
// one with the least loss on the rows that choose. Labels are below K; negative ones, of rows that test, are not known.
[[nodiscard]] FittedProbe fit_probe(Workers& workers, MatView<const float> x, std::span<const std::int32_t> labels,
                                    std::int64_t K, const RowParts& parts);

}  // namespace unroll
