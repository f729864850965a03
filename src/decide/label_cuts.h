// Cuts of texts by one number: the threshold of a label or of all, the factor of a label.
#pragma once

#include <vector>

#include "unroll/judge/cut_points.h"
#include "unroll/label/answer_tuning.h"

namespace unroll {

// Log-odds that differ by less are on one side of a cut: products of factors and probabilities are rounded.
inline constexpr double kLeastLogOddsGap = 1e-9;

// Whether a text has a label.
[[nodiscard]] bool has_label(const JudgedTexts& texts, std::size_t text, std::size_t label);

// The number of texts with the label.
[[nodiscard]] std::int64_t support_of(const JudgedTexts& texts, std::size_t label);

// Each text with the probability of the label.
[[nodiscard]] std::vector<ScoredItem> items_by_probability(const JudgedTexts& texts, std::size_t label);

// A threshold that makes the cut, `present` if that does. Where all are answered, `for_all`; none: no threshold does,
// because something that is not answered has a probability of 1.
[[nodiscard]] std::optional<double> threshold_at(const CutPoint& point, double present,
                                                 std::optional<double> for_all = {});

// A factor that makes the cut of log-odds ln p - ln of the largest other product, `present` if that does. None: it
// would be too large or too small for a double.
[[nodiscard]] std::optional<double> factor_at(const CutPoint& point, double present);

}  // namespace unroll
