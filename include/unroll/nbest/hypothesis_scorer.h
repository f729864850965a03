// The log-probabilities of texts many of which begin alike, such as the hypotheses of an N-best list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "unroll/model.h"
#include "unroll/score/accounting.h"
#include "unroll/scorer.h"

namespace unroll {

struct HypothesisScore {
  double log_prob = 0;      // nats: to the bit what Scorer::score says of the text
  std::int64_t tokens = 0;  // predictions that count
  std::int64_t unknown_tokens = 0;
};

// What was saved.
struct SharedWork {
  std::int64_t tokens = 0;  // of all texts, contexts and ends included
  std::int64_t steps = 0;   // of the network: one for each beginning of texts, however many have it; with an adaptive
                            // softmax one for each token that follows a beginning
};

// Scores texts that share work: each beginning of texts is read once, and equal texts are one. With an adaptive softmax
// a beginning is read once for each different token that follows it. A step takes up to 256 beginnings at once, those
// first from which most is left to read, so that rows stay full to the end (Hu 1961).
//
// A text's score depends on the model and the text alone: not on the texts beside it, nor on the number of threads. Not
// for two threads at once; several may share a Model.
class HypothesisScorer {
 public:
  // How messages call a text, by its index.
  using Names = std::function<std::string(std::size_t index)>;

  // Throws what check() throws for accounting, and Error{kUsage} for state that is carried: hypotheses are
  // alternatives, none comes after another.
  explicit HypothesisScorer(Model model, const Accounting& accounting = {}, int threads = 0);
  ~HypothesisScorer();
  HypothesisScorer(HypothesisScorer&&) noexcept;
  HypothesisScorer& operator=(HypothesisScorer&&) noexcept;

  // Throws Error{kInput} for a text that the tokenizer cannot read, and Error{kNumeric} where a prediction is not
  // finite, beginning with its name ("text 3" without `names`).
  [[nodiscard]] std::vector<HypothesisScore> score(std::span<const std::string> texts, const Names& names = {});

  // The same for texts that all follow `start`, a state of Scorer for this model.
  [[nodiscard]] std::vector<HypothesisScore> score_after(const State& start, std::span<const std::string> texts,
                                                         const Names& names = {});

  // Since it was made.
  [[nodiscard]] SharedWork work() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unroll
