// Picks a hypothesis from an N-best list by a weighted sum of its own score and a language model's.
//
//   total = score + a LM + b words,   LM = L new + (1 - L) old
//
// New and old are the log-probabilities of a hypothesis under this model and under the list's own. L mixes them in the
// log domain, a product of powers, not word by word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace unroll {

// The weights, in the unit of the list's own scores.
struct Combination {
  double lm_weight = 1;    // a
  double word_weight = 0;  // b; above 0 favours long hypotheses
  double lambda = 1;       // L, from 0 to 1

  friend bool operator==(const Combination&, const Combination&) = default;
};

// Throws Error{kUsage} for a weight that is not finite and for lambda outside [0, 1].
void check(const Combination& combination);

// The numbers of one hypothesis.
struct Evidence {
  double score = 0;
  double lm = 0;
  double old_lm = 0;
  double words = 0;
};

[[nodiscard]] double combined_lm(const Combination& combination, const Evidence& evidence) noexcept;
[[nodiscard]] double total(const Combination& combination, const Evidence& evidence) noexcept;

// The hypothesis of the largest total, the first of equal ones. Throws Error{kUsage} for an empty list.
[[nodiscard]] std::size_t best_of(const Combination& combination, std::span<const Evidence> list);

// The hypotheses by falling total, equal ones in the order of the list.
[[nodiscard]] std::vector<std::size_t> ranking(const Combination& combination, std::span<const Evidence> list);

// A list with known errors.
struct TuningList {
  std::vector<Evidence> hypotheses;
  std::vector<std::int64_t> errors;  // of each hypothesis; their sum over the first choices is minimised
};

// Which weights may be changed.
struct TunedWeights {
  bool lm_weight = true;  // leave it fixed where hypotheses have no score: only its ratio to word_weight matters then
  bool lambda = false;    // only where they have an old_lm
};

// The weights for which the first choices of all lists have the fewest errors in total: a coarse grid scaled to the
// spread of the numbers within lists, then three finer ones around the best. Of equal results the smallest weights win;
// three digits each. Weights of words are tried without the language model, too. Deterministic; on one thread. Throws
// Error{kInput} for no list, and what errors_of() throws.
[[nodiscard]] Combination tune_combination(std::span<const TuningList> lists, const TunedWeights& tuned = {});

// Errors of the first choices. Throws Error{kUsage} for an empty list, and where a list has not one number of errors
// for each hypothesis.
[[nodiscard]] std::int64_t errors_of(const Combination& combination, std::span<const TuningList> lists);

}  // namespace unroll
