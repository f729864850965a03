// A text that models predict, as ids of which some count: what evaluate() and evaluate_lines() have in common.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "infer/evaluate_ids.h"
#include "infer/ngram_mixture.h"
#include "infer/symbols.h"
#include "unroll/evaluate.h"
#include "unroll/tokenizer.h"

namespace unroll {

// What models and options agree on.
struct EvaluationPolicies {
  StatePolicy state = StatePolicy::kCarry;
  BeginPolicy begin = BeginPolicy::kBoundary;
  Symbols symbols = {};
  Accounting accounting = {};
};

// Throws Error{kUsage} as evaluate_average() does, for models and options.
[[nodiscard]] EvaluationPolicies policies_of(std::span<const Model> models, const EvaluateOptions& options);

struct CountedText {
  [[nodiscard]] LossSums sum_of(std::span<const double> log_probs) const {
    return evaluation_of(encoded.ids, log_probs, symbols, accounting);
  }
  [[nodiscard]] bool has(std::size_t position) const { return is_counted(accounting, symbols, encoded.ids, position); }
  [[nodiscard]] bool gives_symbols() const { return symbols.reading.begin == BeginPolicy::kNone; }

  const EncodedText& encoded;
  Symbols symbols;
  Accounting accounting;
  std::string name;
};

// The figures of one predictor. `counts`: all but losses; `kind`: begin and end.
[[nodiscard]] Evaluation evaluation_from(const LossSums& loss, const EvaluationSums& counts,
                                         const EvaluationKind& kind);

// ln p of each id by the model, adapted as the options say.
[[nodiscard]] std::vector<double> log_probs_of(const Model& model, std::span<const std::int32_t> ids,
                                               const Reading& reading, const EvaluateOptions& options);

// Makes `sums`, ln of the sum of the p of `models` models, ln of their mean.
void divide_by_count(std::size_t models, std::vector<double>& sums);

// Throws Error{kNumeric} where the loss of the model's predictions of `name` is not finite.
void expect_finite(double nats, const std::string& name);

// The mixture of the network's ln p with those of the n-grams. Throws Error{kInput} where a lambda of 0 leaves an id
// that counts to n-grams that give it no probability.
[[nodiscard]] std::vector<double> mixed_with(const NgramMixture& mixture, std::span<const double> network,
                                             std::span<const double> ngram, const CountedText& text);

}  // namespace unroll
