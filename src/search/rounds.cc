#include "search/rounds.h"

#include <algorithm>
#include <cmath>

namespace unroll {

Rounds plan_rounds(double budget, std::int64_t E, bool can_vary) {
  constexpr double kMostSettings = 27;
  const auto count = [&](double settings) {
    return static_cast<std::int64_t>(std::floor(std::min(settings, kMostSettings)));
  };
  const std::int64_t third = std::max<std::int64_t>(1, (E + 1) / 3);
  if (can_vary && third < E) {
    if (budget >= 9) return {.settings = count(budget), .epochs = {third, E, 3 * E}};
    if (budget >= 2) return {.settings = count(1.5 * budget), .epochs = {third, E}};
  }
  if (budget >= 1) return {.settings = count(budget), .epochs = {E}};
  return {.settings = 0, .epochs = {}};
}

}  // namespace unroll
