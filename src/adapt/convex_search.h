// Finds where a convex function of 1 / x is least.
#pragma once

#include <optional>
#include <span>

#include "unroll/number_range.h"

namespace unroll {

// `value` in three digits: a validation text does not determine more, and people copy the result.
[[nodiscard]] double rounded_setting(double value);

// A value of the function.
struct SearchPoint {
  double x = 1;     // above 0
  double loss = 0;  // may be infinity
};

// The next x to try after these, at least two, which must rise; none where the least of them is the minimum within
// about a hundredth of x, or nearly so at an end of `range`. Steps beyond the ends of what was tried grow by powers;
// wide brackets around the least are halved, and in narrow ones the vertex of the parabola in 1 / x is tried. Where the
// losses next to the least differ from it by less than `little`, the search ends. All x have three digits.
[[nodiscard]] std::optional<double> next_to_try(std::span<const SearchPoint> tried, const NumberRange& range,
                                                double little = 0);

}  // namespace unroll
