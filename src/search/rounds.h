// How many trials of what length a time pays for.
#pragma once

#include <cstdint>
#include <vector>

namespace unroll {

// Trials of a round: so many at first, each of so many epochs.
struct Rounds {
  std::int64_t settings = 0;         // new ones in the first round
  std::vector<std::int64_t> epochs;  // of each round; empty: there is time for no trial
};

// The rounds of successive halving by thirds that cost at most `budget`, in units of a trial of E epochs: E/3, E and 3
// E epochs with 9 units or more (n settings cost n/3 in each round), E/3 and E with 2 or more, E alone with 1 or more.
// At most 27 settings. `can_vary`: false where every trial has E epochs.
[[nodiscard]] Rounds plan_rounds(double budget, std::int64_t E, bool can_vary);

}  // namespace unroll
