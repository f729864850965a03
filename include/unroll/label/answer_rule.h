// Which labels a text is given, once their probabilities are known.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/label/classified_text.h"

namespace unroll {

// Thresholds t_k and factors f_k of K labels.
//
// Of one label a text, the candidate is the label with the largest f_k p_k, of equal ones the first, compared as
// ln f_k + ln p_k; where all factors are equal that is the most probable one. It is the answer if p_k >= t_k, or else
// there is none. Of any number of labels (Task::multi_label) all with p_k >= t_k are answers, and factors are not used.
struct AnswerRule {
  std::vector<double> thresholds;  // (K) 0 to 1
  std::vector<double> factors;     // (K) finite, above 0

  friend bool operator==(const AnswerRule&, const AnswerRule&) = default;
};

// All labels by falling probability, of equal ones the first first.
[[nodiscard]] std::vector<std::int32_t> ranked_labels(const ClassifiedText& text);

// The labels that the rule gives the text; of any number by falling probability.
[[nodiscard]] std::vector<std::int32_t> answers_by(const AnswerRule& rule, const ClassifiedText& text,
                                                   bool multi_label);

}  // namespace unroll
