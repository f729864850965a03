// Finds odd lines: ranks the probability of a line among those of reference lines of its length.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unroll {

// The probability of one line under a model, as in Score.
struct LineProbability {
  double log_prob = 0;  // nats
  std::int64_t tokens = 0;
};

// Percentiles among reference lines, corrected for length.
//
// A long line is less probable than a short one without being odd. Half of the reference lines, every other one, give
// the mean m(n) and the standard deviation s(n) of the surprisal of lines of n tokens, in ranges of length that hold
// about equally many lines, linear between their middles; beyond the last, m grows with n and s with its square root,
// below the first both shrink so. A line's oddness is
//
//   z = (-log_prob - m(tokens)) / s(tokens)
//
// The other half, C lines, are compared with: a line's share is
//
//   (1 + number of those C lines whose z is at least as large) / (C + 1)
//
// For a line that comes from where the C lines come from, and that m and s were not made from, the probability that its
// share is at most a is at most a (split conformal prediction: Papadopoulos et al. 2002; Vovk, Gammerman & Shafer 2005,
// section 4.1): an alarm at a share of 0.01 is false for at most 1% of lines, on average over references. That does not
// hold for lines or references that the model was trained on, because these are more probable under it.
//
// Immutable once made, so threads may share it.
class OddLines {
 public:
  // Throws Error{kInput} for fewer than 20 lines, and for one without tokens or whose log-probability is not finite.
  explicit OddLines(std::span<const LineProbability> reference);

  // The share of lines that are as odd or odder, above 0, at most 1: 0.003 is one line in 333. Requires tokens > 0.
  [[nodiscard]] double share(const LineProbability& line) const;

  // C: no share is below 1 / (C + 1).
  [[nodiscard]] std::int64_t lines() const noexcept { return static_cast<std::int64_t>(calibration_.size()); }

 private:
  // Lines of about one length.
  struct Range {
    double tokens = 0;  // mean
    double mean = 0;    // of the surprisal
    double deviation = 0;
  };

  void fit(std::span<const LineProbability> lines);
  [[nodiscard]] Range expected(double tokens) const;
  [[nodiscard]] double oddness(const LineProbability& line) const;

  std::vector<Range> ranges_;        // in the order of their lengths
  std::vector<double> calibration_;  // the z of the other half, rising
};

}  // namespace unroll
