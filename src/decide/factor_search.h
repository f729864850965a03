// The factors of labels, of which a text has one, that make accuracy or macro F1 largest.
#pragma once

#include <vector>

#include "unroll/judge/cut_points.h"
#include "unroll/label/answer_tuning.h"

namespace unroll {

// Moves one factor after the other to its best value until none gains anything. Each step compares all cuts of the
// texts, O(n log n). Requires two labels or more, and a text.
[[nodiscard]] std::vector<double> search_factors(const JudgedTexts& texts, std::vector<double> factors,
                                                 TuneMeasure measure);

// ln p of the label - ln of the largest other product of factor and probability: the label is the answer where
// ln of its factor is above the negative of this.
[[nodiscard]] std::vector<ScoredItem> items_by_log_odds(const JudgedTexts& texts, const std::vector<double>& factors,
                                                        std::size_t label);

}  // namespace unroll
