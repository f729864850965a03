// Word and character error rates, with bootstrap confidence intervals.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "unroll/judge/interval.h"

namespace unroll {

// Edit distance of one hypothesis, and the length of its reference.
struct ErrorCount {
  std::int64_t errors = 0;  // fewest insertions, deletions and substitutions that make it the reference
  std::int64_t of = 0;      // words or characters of the reference
};

// Words are runs of bytes between ASCII white space. (Levenshtein 1966)
[[nodiscard]] ErrorCount word_errors(std::string_view hypothesis, std::string_view reference);

// Characters are code points, a run of white space between words is one; a byte that is not UTF-8 is one.
[[nodiscard]] ErrorCount character_errors(std::string_view hypothesis, std::string_view reference);

// The sums of both over all utterances.
[[nodiscard]] ErrorCount sum_of(std::span<const ErrorCount> utterances) noexcept;

// errors / of. Without reference words it is infinity where there are errors, and 0 where there are none.
[[nodiscard]] double error_rate(std::span<const ErrorCount> utterances) noexcept;

// The middle 95% of error_rate over resamples of the utterances, drawn with replacement: an end is infinite where 2.5%
// of the resamples have errors and no reference words. Throws Error{kUsage} for fewer than 40 resamples.
//
// Source: Bisani & Ney 2004, "Bootstrap estimates for confidence intervals in ASR performance evaluation".
[[nodiscard]] Interval bootstrap_rate(std::span<const ErrorCount> utterances, const BootstrapOptions& options = {});

// The same of error_rate(a) - error_rate(b), drawing the same utterances from both. Throws Error{kUsage}
// also for unequal sizes.
[[nodiscard]] Interval bootstrap_difference(std::span<const ErrorCount> a, std::span<const ErrorCount> b,
                                            const BootstrapOptions& options = {});

}  // namespace unroll
