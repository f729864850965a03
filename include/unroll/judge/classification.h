// How good the labels are that texts were given: accuracy, precision, recall, F1, confusion.
//
// Labels are numbers from 0 to K - 1. Each text has one (the classes of a classifier), or a set of them (several labels
// a text). "Right" are those that the data has, "answers" those of the model.
//
// Nothing here is NaN: what would be a division by zero has no value.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unroll/judge/interval.h"

namespace unroll {

// Counts of one label, or of several together; of spans, too.
struct HitCounts {
  std::int64_t hits = 0;      // answers that are right
  std::int64_t answered = 0;  // answers: hits and false alarms
  std::int64_t support = 0;   // instances in the data: hits and misses

  [[nodiscard]] std::optional<double> precision() const noexcept;  // hits / answered; none without an answer
  [[nodiscard]] std::optional<double> recall() const noexcept;     // hits / support; none without an instance
  [[nodiscard]] std::optional<double> f1() const noexcept;  // 2 hits / (answered + support); none without an instance

  HitCounts& operator+=(const HitCounts& other) noexcept;
};

struct LabelAverages {
  std::optional<double> precision;
  std::optional<double> recall;
  std::optional<double> f1;
};

// All labels together.
//
//   macro     the mean over labels that occur in the data or among the answers; of these, a label without a value
//             counts as 0. So do classification_report and f1_score of scikit-learn (zero_division=0).
//   weighted  the same mean, each label weighed by its support
//   micro     of the sums of all labels' counts: the accuracy, where each text has one label and one answer
//
// An average has no value where there is nothing to average: no label occurs; none has support (weighted); no answer
// (precision of micro), no instance (its recall and F1).
struct Classification {
  Proportion exact;               // texts whose answer is right; of sets: all labels and no other. Its share: accuracy
  std::vector<HitCounts> labels;  // K
  LabelAverages macro;
  LabelAverages weighted;
  LabelAverages micro;
};

// Throws Error{kUsage} for different numbers of texts on both sides, and for labels outside 0 .. K - 1; Error{kInput}
// without a text. In a set, a label that is repeated counts once.
[[nodiscard]] Classification judge_labels(std::span<const std::int32_t> right, std::span<const std::int32_t> answers,
                                          std::int64_t K);
[[nodiscard]] Classification judge_labels(std::span<const std::vector<std::int32_t>> right,
                                          std::span<const std::vector<std::int32_t>> answers, std::int64_t K);

// What a reader of the figures should know, a sentence each: labels that are never predicted though the data has them,
// and labels without an instance in the data. Shows five names of a kind and the number of the rest. Requires K names.
[[nodiscard]] std::vector<std::string> notes_on(const Classification& figures, std::span<const std::string> names);

// 95% intervals of F1: the middle of its values over resamples of the texts, each computed as that of the whole set,
// over the labels that occur in the resample. None where fewer than 40 resamples have a value.
struct F1Intervals {
  std::optional<Interval> macro;
  std::optional<Interval> weighted;
  std::optional<Interval> micro;
};

// Throws as judge_labels, and Error{kUsage} for fewer than 40 resamples.
[[nodiscard]] F1Intervals bootstrap_f1(std::span<const std::int32_t> right, std::span<const std::int32_t> answers,
                                       std::int64_t K, const BootstrapOptions& options = {});
[[nodiscard]] F1Intervals bootstrap_f1(std::span<const std::vector<std::int32_t>> right,
                                       std::span<const std::vector<std::int32_t>> answers, std::int64_t K,
                                       const BootstrapOptions& options = {});

// The same of F1 of the sums of counts that each text has: of a sentence with its spans or its tokens. Throws
// Error{kUsage} as above.
[[nodiscard]] std::optional<Interval> bootstrap_f1(std::span<const HitCounts> texts,
                                                   const BootstrapOptions& options = {});

}  // namespace unroll
