#include "search/rounds.h"

#include <gtest/gtest.h>

namespace unroll {
namespace {

// What the rounds cost, in trials of E epochs: a third of the settings goes on, rounded up, and the given settings have
// their trial of E epochs already.
double cost_of(const Rounds& rounds, std::int64_t E) {
  double cost = 0;
  std::int64_t settings = rounds.settings;
  for (const std::int64_t epochs : rounds.epochs) {
    cost += static_cast<double>(settings * epochs) / static_cast<double>(E);
    settings = (settings + 2) / 3;
  }
  return cost;
}

TEST(Rounds, CostWhatThereIsTimeFor) {
  for (const std::int64_t E : {6, 8, 10, 20}) {
    for (double budget = 0; budget < 60; budget += 0.5) {
      const Rounds rounds = plan_rounds(budget, E, true);
      EXPECT_EQ(rounds.settings > 0, budget >= 1);
      EXPECT_LE(rounds.settings, 27);
      // What is too much, by rounding, the last trials are left out for.
      EXPECT_LE(cost_of(rounds, E), 1.6 * budget + 1) << budget;
      if (budget < 9) continue;
      ASSERT_EQ(rounds.epochs.size(), 3U);
      EXPECT_EQ(rounds.epochs[2], 3 * E);
    }
  }
}

TEST(Rounds, TrialsOfOneLengthHaveOneRound) {
  EXPECT_EQ(plan_rounds(12, 6, false).epochs, std::vector<std::int64_t>{6});
  EXPECT_EQ(plan_rounds(12, 6, false).settings, 12);
  EXPECT_EQ(plan_rounds(5, 1, true).epochs, std::vector<std::int64_t>{1});
}

}  // namespace
}  // namespace unroll
