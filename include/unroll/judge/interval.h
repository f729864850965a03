// How sure a number is that was measured on a sample: 95% confidence intervals.
#pragma once

#include <cstdint>

namespace unroll {

struct Interval {
  double low = 0;
  double high = 0;
};

// A number of hits among a number of trials.
struct Proportion {
  std::int64_t hits = 0;
  std::int64_t of = 0;

  [[nodiscard]] double share() const noexcept;  // 0 where `of` is 0
  // The ends of the 95% confidence interval (Wilson 1927): all p for which `share` is within 1.96 standard deviations
  // of p, sqrt(p (1 - p) / of). From 0 to 1 where `of` is 0.
  [[nodiscard]] double low() const noexcept;
  [[nodiscard]] double high() const noexcept;

  void count(bool hit) noexcept {
    hits += hit ? 1 : 0;
    ++of;
  }
};

// Resamples of a test set: as many items as it has, drawn from it with replacement. The same seed and number of items
// draw the same ones in every function that takes these options.
//
// Source: Efron 1979, "Bootstrap methods: another look at the jackknife".
struct BootstrapOptions {
  std::int64_t resamples = 1000;  // at least 40
  std::uint64_t seed = 1;
};

// The number of resamples of a set of `items` that takes seconds: 50 million draws in all, but `wanted` at most and 40
// at least. From 50,000 items on it is less than 1,000; the intervals of so many are narrow, and need no fine ends.
[[nodiscard]] std::int64_t resamples_in_seconds(std::int64_t items, std::int64_t wanted = 1000) noexcept;

}  // namespace unroll
