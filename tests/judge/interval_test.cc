#include "unroll/judge/interval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

namespace unroll {
namespace {

// Every end of an interval solves |share - p| = 1.96 sqrt(p (1 - p) / n).
TEST(Proportion, WilsonsIntervalSolvesItsEquation) {
  for (const auto& [hits, of] : {std::pair{1, 2}, {7, 10}, {0, 5}, {1000, 1000}, {832, 1000}}) {
    const Proportion proportion{.hits = hits, .of = of};
    for (const double p : {proportion.low(), proportion.high()}) {
      const double deviations = std::fabs(proportion.share() - p) / std::sqrt(p * (1 - p) / of);
      if (p > 1e-9 && p < 1 - 1e-9) {
        EXPECT_NEAR(deviations, 1.96, 1e-4) << hits << " of " << of;
      }
    }
    EXPECT_LE(proportion.low(), proportion.share());
    EXPECT_GE(proportion.high(), proportion.share());
  }
  EXPECT_EQ(Proportion{}.low(), 0);
  EXPECT_EQ(Proportion{}.high(), 1);
}

TEST(Resamples, OfLargeSetsAreFewerButEnoughForAnInterval) {
  EXPECT_EQ(resamples_in_seconds(0), 1000);
  EXPECT_EQ(resamples_in_seconds(50'000), 1000);
  EXPECT_EQ(resamples_in_seconds(500'000), 100);
  EXPECT_EQ(resamples_in_seconds(1'000'000'000), 40);
  EXPECT_EQ(resamples_in_seconds(1000, 10'000), 10'000);
}

}  // namespace
}  // namespace unroll
