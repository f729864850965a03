// The loss of predictions as sums, and the figures that follow from them.
#pragma once

#include <cstdint>

namespace unroll {

// Sums over predictions that count, of a line or of a text.
struct LossSums {
  double nats = 0;           // of -ln p
  std::int64_t tokens = 0;   // predictions
  double unknown_nats = 0;   // of the unknown symbol, as part of nats
  std::int64_t unknown = 0;  // predictions of the unknown symbol, as part of tokens

  // Adds those of the next line: sums of a text are the same bits wherever it is cut between lines, as long as lines
  // are added in their order.
  LossSums& operator+=(const LossSums& next) noexcept;
};

struct LossFigures {
  double nats_per_token = 0;              // NaN of nothing, as the others
  double perplexity = 0;                  // exp(nats_per_token)
  double nats_per_known_token = 0;        // the mean over tokens that are not the unknown symbol
  double perplexity_without_unknown = 0;  // exp of that
};

[[nodiscard]] LossFigures figures_of(const LossSums& sums) noexcept;

}  // namespace unroll
