// Whether the probabilities of a classifier can be believed, and what makes them so: temperature, thresholds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "unroll/judge/classification.h"

namespace unroll {

// The mean of -ln p(right label) over texts, nats.
struct MeanNats {
  std::optional<double> nats_per_text;  // none if all were left out
  std::int64_t left_out = 0;            // infinite ones: texts of a label that the model does not know
};

// Throws Error{kNumeric} for NaN.
[[nodiscard]] MeanNats mean_nats(std::span<const double> nats);

// A probability and what came true: of an answer, whether it is right; or of a label, whether the text has it.
struct Confidence {
  double probability = 0;  // 0 to 1
  bool is_right = false;
};

// The expected calibration error. Probabilities fall into 15 bins of equal width, bin k of those in (k/15, (k+1)/15]; 0
// is in the first. Over bins of n_k of n probabilities,
//
//   sum of n_k / n |share of those that are right - mean probability|
//
// Source: Naeini, Cooper & Hauskrecht 2015; Guo, Pleiss, Sun & Weinberger 2017, "On calibration of modern neural
// networks", who use 15 bins.
class CalibrationError {
 public:
  // Throws Error{kNumeric} for what is no probability.
  void add(const Confidence& confidence);

  [[nodiscard]] std::optional<double> value() const;  // none of nothing

 private:
  static constexpr int kBins = 15;

  std::int64_t count_ = 0;
  std::array<double, kBins> excess_{};  // of those that are right over the sum of probabilities
};

// A temperature T for logits y: probabilities are softmax(y / T), or sigmoid(y / T).
struct Temperature {
  double value = 1;
  double nats_before = 0;  // per text, at T = 1
  double nats_after = 0;   // per text, at T; never more
};

// Finds the T with the fewest nats on texts that the network was not trained on, by golden-section search over ln T
// from 0.1 to 10; it is rounded to four decimals. The loss is convex in 1/T, so that there is one minimum.
//
// T stays 1 where that is not less, and where no logit is larger than the right one's (sigmoid: none is on the wrong
// side of 0): the loss then falls for ever as T does, and the texts say nothing about how often the model errs.
//
// `logits` are N rows of K. Throws Error{kUsage} for sizes that do not fit and labels outside 0 .. K - 1, Error{kInput}
// without a text, Error{kNumeric} for logits that are not finite.
//
// Source: Guo et al. 2017; Kiefer 1953, "Sequential minimax search for a maximum".
[[nodiscard]] Temperature fit_temperature(std::span<const float> logits, std::span<const std::int32_t> right,
                                          std::int64_t K);

// The same of several labels a text, each by itself: the loss of a text is the sum over its labels (Loss::kSigmoid).
// `has` are N rows of K: 1 where the text has the label, or else 0.
[[nodiscard]] Temperature fit_sigmoid_temperature(std::span<const float> logits, std::span<const std::uint8_t> has,
                                                  std::int64_t K);

// The threshold from which on a text gets the label, with the largest F1 on these texts. A threshold lies at 0.5 if
// that is as good, or else half way between the probabilities that it separates (the lowest and 0); of several with
// equal F1 it is the one closest to 0.5, then the higher one. Without a text that has the label it is 0.5.
[[nodiscard]] double best_threshold(std::span<const Confidence> texts);

// best_threshold() of each of K labels. `probabilities` and `has` are N rows of K. Throws Error{kUsage} for sizes that
// do not fit.
[[nodiscard]] std::vector<double> best_thresholds(std::span<const double> probabilities,
                                                  std::span<const std::uint8_t> has, std::int64_t K);

// What answering a label from a threshold on would be.
struct ThresholdRow {
  double threshold = 0;
  HitCounts counts;
};

// A row for each threshold, in the order given.
[[nodiscard]] std::vector<ThresholdRow> threshold_table(std::span<const Confidence> texts,
                                                        std::span<const double> thresholds);

}  // namespace unroll
