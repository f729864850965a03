// Log-probabilities of texts that share prefixes, such as the hypotheses of an N-best list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "unroll/model.h"
#include "unroll/score/accounting.h"
#include "unroll/scorer.h"

namespace unroll {

struct HypothesisScore {
  double log_prob = 0;      // nats: to the bit that of Scorer::score()
  std::int64_t tokens = 0;  // predictions that count
  std::int64_t unknown_tokens = 0;
};

// How much work prefix sharing avoided.
struct SharedWork {
  std::int64_t tokens = 0;  // of all texts, contexts and ends included
  std::int64_t steps = 0;  // of the network: one for each prefix, however many texts share it; with an adaptive softmax
                           // one for each token that follows a prefix
};

// Scores texts that share prefixes: each prefix is read once, and equal texts are scored once. With an adaptive softmax
// a prefix is read once for each different token that follows it. A step takes up to 256 prefixes at once, those with
// the longest way to the end of a text first, so that rows stay full to the end (Hu 1961).
//
// A text's score depends on the model and the text alone: not on the other texts, nor on the number of threads. Not for
// two threads at once; several may share a Model.
class HypothesisScorer {
 public:
  // Throws what check() throws for accounting, and Error{kUsage} for carried state: hypotheses are alternatives and do
  // not follow each other; and for a model that does not predict the first token of a line, or is asked not to
  // (BeginPolicy::kNone).
  explicit HypothesisScorer(Model model, const Accounting& accounting = {}, int threads = 0);
  ~HypothesisScorer();
  HypothesisScorer(HypothesisScorer&&) noexcept;
  HypothesisScorer& operator=(HypothesisScorer&&) noexcept;

  // Throws Error{kInput} for a text that the tokenizer cannot read, and Error{kNumeric} where a prediction is not
  // finite, with the text's index() and name ("text 3" without `names`).
  [[nodiscard]] std::vector<HypothesisScore> score(std::span<const std::string> texts, const LineNames& names = {});

  // The same for texts that all follow `start`, a state of Scorer for this model. Throws Error{kUsage} for another one.
  [[nodiscard]] std::vector<HypothesisScore> score_after(const State& start, std::span<const std::string> texts,
                                                         const LineNames& names = {});

  // Of all calls so far.
  [[nodiscard]] SharedWork work() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
