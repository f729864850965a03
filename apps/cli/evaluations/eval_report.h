// What `eval` prints of a language model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unroll/evaluate.h"

namespace unroll {

// What the report says of an evaluation beside its figures.
struct EvalDescription {
  std::vector<std::string> models;  // paths
  std::string precision;            // of all models, each once
  std::string counted;              // which tokens, in words
  std::string adaptation;           // in words; empty: none
  std::string mixture;              // with n-grams, in words
  std::string fields = "{}";        // a JSON object: what the JSON form says of these
  std::string ngram = "{}";         // the same of the n-grams
};

[[nodiscard]] EvalDescription describe_evaluation(const std::vector<std::string>& paths,
                                                  const std::vector<Model>& models, const EvaluateOptions& options);

// Rows for people, or one JSON object on one line. Without `tokens_per_s` they say nothing about speed.
[[nodiscard]] std::string eval_table(const EvalDescription& about, const AverageEvaluation& all,
                                     const std::optional<double>& tokens_per_s);
[[nodiscard]] std::string eval_json(const EvalDescription& about, const AverageEvaluation& all,
                                    const std::optional<double>& tokens_per_s);

// Of everything that predicts, together.
[[nodiscard]] const Evaluation& together(const AverageEvaluation& all);

}  // namespace unroll
