// Whether one of two models is better on the same texts, or only was luckier.
//
// A p-value is the probability of a difference that is at least as large, in either direction, if the two were equally
// good.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "unroll/judge/classification.h"
#include "unroll/judge/interval.h"

namespace unroll {

// The p-value of McNemar's exact test: of n texts on which only one of the two is right, how far from even are those of
// a and those of b? With n = only_a + only_b and k the smaller of both,
//
//   p = min(1, 2 sum over i <= k of C(n, i) / 2^n),   1 where n is 0
//
// Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages".
[[nodiscard]] double mcnemar_p_value(std::int64_t only_a, std::int64_t only_b) noexcept;

struct PairedComparison {
  std::optional<double> a;  // of all texts
  std::optional<double> b;
  std::optional<Interval> difference;  // 95% interval of a - b: the middle of its values over resamples of the texts
  double p_value = 1;
  std::int64_t differing = 0;  // texts to which the two gave different answers
  bool is_exact = false;       // the p-value is exact, not estimated from shuffles
};

// Compares macro F1 (Classification::macro).
//
// p_value is that of a randomisation test: were the two equally good, each text's two answers could as well have been
// swapped. It is the share of all ways to swap them in which |macro F1 of a - macro F1 of b| is at least what it is.
// With up to options.resamples ways all are tried; or else so many random ones are, and with r of R of them as large, p
// is (r + 1) / (R + 1). Differences that differ by less than 1e-12 are equal.
//
// Throws as judge_labels for each of both, and Error{kUsage} for fewer than 40 resamples.
//
// Source: Noreen 1989, "Computer-intensive methods for testing hypotheses"; Yeh 2000, "More accurate tests for the
// statistical significance of result differences".
[[nodiscard]] PairedComparison compare_macro_f1(std::span<const std::int32_t> right, std::span<const std::int32_t> a,
                                                std::span<const std::int32_t> b, std::int64_t K,
                                                const BootstrapOptions& options = {});
[[nodiscard]] PairedComparison compare_macro_f1(std::span<const std::vector<std::int32_t>> right,
                                                std::span<const std::vector<std::int32_t>> a,
                                                std::span<const std::vector<std::int32_t>> b, std::int64_t K,
                                                const BootstrapOptions& options = {});

// Compares F1 of the sums of counts that each text (a sentence with its spans) has under a and b; where hits of a text
// are its tokens with the right label, and `answered` and `support` both all its tokens, F1 is the accuracy over
// tokens. The texts are resampled and swapped as wholes: tokens and spans of a sentence depend on each other.
//
// Throws Error{kUsage} for different numbers of texts or of instances (support) in one, and as above.
[[nodiscard]] PairedComparison compare_f1(std::span<const HitCounts> a, std::span<const HitCounts> b,
                                          const BootstrapOptions& options = {});

}  // namespace unroll
