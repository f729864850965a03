// Ranges of numbers that options take, and their words.
#pragma once

#include <limits>
#include <string>

namespace unroll {

// The numbers that an option takes.
struct NumberRange {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool with_least = true;  // whether `least` itself is allowed
  bool with_most = true;
};

// "a whole number from 1 to 65536", "a number from 0 to below 1", "a number above 0".
[[nodiscard]] std::string describe(const NumberRange& range, bool whole);

// Whether `number` is in the range; NaN never is.
[[nodiscard]] constexpr bool contains(const NumberRange& range, double number) noexcept {
  const bool high_enough = range.with_least ? number >= range.least : number > range.least;
  const bool low_enough = range.with_most ? number <= range.most : number < range.most;
  return high_enough && low_enough;
}

}  // namespace unroll
