#include "train/window_cuts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace unroll {
namespace {

TEST(WindowCuts, WithoutJitterAreMultiplesOfT) {
  const WindowCuts cuts{.T = 7, .J = 0, .length = 30, .seed = 1};
  EXPECT_EQ(cuts.windows(), 5);
  for (std::int64_t i = 0; i < 5; ++i) EXPECT_EQ(cuts.first(3, i), 7 * i);
  EXPECT_EQ(cuts.first(3, 5), 30);
}

TEST(WindowCuts, CoverAnEpochByWindowsOfBoundedLength) {
  for (const std::int64_t length : {1, 12, 13, 14, 27, 300, 313}) {
    for (const std::int64_t J : {0, 1, 6}) {
      const WindowCuts cuts{.T = 13, .J = J, .length = length, .seed = 5};
      EXPECT_EQ(cuts.windows(), (length + 12) / 13);
      for (std::int64_t epoch = 0; epoch < 50; ++epoch) {
        EXPECT_EQ(cuts.first(epoch, 0), 0);
        EXPECT_EQ(cuts.first(epoch, cuts.windows()), length);
        for (std::int64_t i = 0; i < cuts.windows(); ++i) {
          const std::int64_t steps = cuts.first(epoch, i + 1) - cuts.first(epoch, i);
          EXPECT_LE(steps, 13 + 2 * J);
          EXPECT_GE(steps, i + 1 < cuts.windows() ? 13 - 2 * J : 1);
        }
      }
    }
  }
}

TEST(WindowCuts, AreUniformAndDifferBetweenEpochsAndSeeds) {
  const WindowCuts cuts{.T = 9, .J = 2, .length = 9000, .seed = 5};
  const WindowCuts other{.T = 9, .J = 2, .length = 9000, .seed = 6};
  std::map<std::int64_t, int> counts;
  int as_next_epoch = 0;
  int as_other_seed = 0;
  for (std::int64_t i = 1; i < 1000; ++i) {
    ++counts[cuts.first(0, i) - 9 * i];
    as_next_epoch += cuts.first(0, i) == cuts.first(1, i) ? 1 : 0;
    as_other_seed += cuts.first(0, i) == other.first(0, i) ? 1 : 0;
  }
  EXPECT_EQ(counts.size(), 5);
  for (const auto& [shift, count] : counts) {
    EXPECT_LE(std::abs(shift), 2);
    EXPECT_NEAR(count, 200, 50) << shift;  // four standard deviations
  }
  EXPECT_NEAR(as_next_epoch, 200, 50);
  EXPECT_NEAR(as_other_seed, 200, 50);
}

}  // namespace
}  // namespace unroll
