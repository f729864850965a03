#include "train/averaging.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/arrays.h"
#include "support/random_matrix.h"

namespace unroll {
namespace {

Averaging averaging(Average kind) { return Averaging({.kind = kind, .ema_decay = 0.9, .nonmono = 2}); }

// By the sum that defines it: (1-D) sum D^(t-s) w_s / (1 - D^t).
TEST(Averaging, EmaIsTheWeightedMeanOfAllWeights) {
  const Averaging ema = averaging(Average::kEma);
  std::vector<float> average(5);
  std::vector<std::vector<float>> all;
  for (std::int64_t t = 1; t <= 40; ++t) {
    all.push_back(RandomMatrix(1, 5, static_cast<std::uint64_t>(t)).values);
    move_towards(all.back(), average, static_cast<float>(ema.share(t)));
    for (std::size_t i = 0; i < 5; ++i) {
      double sum = 0;
      double weights = 0;
      for (std::int64_t s = 1; s <= t; ++s) {
        const double weight = std::pow(0.9, static_cast<double>(t - s));
        sum += weight * static_cast<double>(all[static_cast<std::size_t>(s - 1)][i]);
        weights += weight;
      }
      EXPECT_NEAR(average[i], sum / weights, 1e-6);
    }
  }
}

TEST(Averaging, TriggeredIsTheMeanSinceTheTrigger) {
  Averaging triggered = averaging(Average::kTriggered);
  EXPECT_EQ(triggered.share(7), 0);
  triggered.validated(7, 2, std::vector<double>{1, 1, 1});
  ASSERT_TRUE(triggered.began());
  std::vector<float> average(3);
  std::vector<double> sums(3);
  for (std::int64_t t = 8; t <= 30; ++t) {
    const RandomMatrix w(1, 3, static_cast<std::uint64_t>(t));
    move_towards(w.values, average, static_cast<float>(triggered.share(t)));
    for (std::size_t i = 0; i < 3; ++i) {
      sums[i] += static_cast<double>(w.values[i]);
      EXPECT_NEAR(average[i], sums[i] / static_cast<double>(t - 7), 1e-6);
    }
  }
}

// With n = 2: worse than the best of those before the last two.
TEST(Averaging, TheTriggerWaitsForALossThatIsWorseThanOnesLongAgo) {
  const auto fires = [](double nats, const std::vector<double>& before) {
    Averaging triggered = averaging(Average::kTriggered);
    triggered.validated(10, nats, before);
    return triggered.began();
  };
  EXPECT_FALSE(fires(9, {}));
  EXPECT_FALSE(fires(9, {1, 2}));
  EXPECT_TRUE(fires(9, {8, 1, 1}));
  EXPECT_FALSE(fires(7, {8, 1, 1}));
  EXPECT_TRUE(fires(7, {8, 6, 1, 1}));
  EXPECT_FALSE(fires(6, {8, 6, 1, 1}));
  Averaging ema = averaging(Average::kEma);
  ema.validated(10, 9, std::vector<double>{1, 1, 1, 1});
  EXPECT_EQ(ema.start, 0);
}

}  // namespace
}  // namespace unroll
