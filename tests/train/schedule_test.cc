#include "train/schedule.h"

#include <gtest/gtest.h>

#include "train/pacing.h"

namespace unroll {
namespace {

TEST(LearningRate, WarmsUpLinearly) {
  const LearningRate rate{.schedule = Schedule::kConstant, .lr = 0.8, .warmup = 4, .steps = 100};
  EXPECT_DOUBLE_EQ(rate.at(1), 0.2);
  EXPECT_DOUBLE_EQ(rate.at(4), 0.8);
  EXPECT_DOUBLE_EQ(rate.at(5), 0.8);
  EXPECT_DOUBLE_EQ(rate.at(100), 0.8);
}

TEST(LearningRate, CosineFallsFromTheTopToAHundredth) {
  const LearningRate rate{.schedule = Schedule::kCosine, .lr = 1, .warmup = 10, .steps = 1010};
  EXPECT_DOUBLE_EQ(rate.at(11), 1);
  EXPECT_NEAR(rate.at(511), 0.505, 1e-9);
  EXPECT_NEAR(rate.at(1010), 0.01, 1e-4);
  for (std::int64_t step = 12; step <= 1010; ++step) EXPECT_LT(rate.at(step), rate.at(step - 1));
}

TEST(LearningRate, LinearFallsByTheSameAtEveryStepAndStaysAboveZero) {
  const LearningRate rate{.schedule = Schedule::kLinear, .lr = 3, .warmup = 10, .steps = 1010};
  EXPECT_DOUBLE_EQ(rate.at(5), 1.5);
  EXPECT_DOUBLE_EQ(rate.at(11), 3);
  EXPECT_DOUBLE_EQ(rate.at(511), 1.5);
  for (std::int64_t step = 12; step <= 1010; ++step) EXPECT_NEAR(rate.at(step - 1) - rate.at(step), 0.003, 1e-12);
  EXPECT_NEAR(rate.at(1010), 0.003, 1e-12);
}

TEST(LearningRate, StepDividesAfterEachEpochBeyondTheFirstOnes) {
  const LearningRate rate{.schedule = Schedule::kStep,
                          .lr = 20,
                          .warmup = 3,
                          .steps = 130,
                          .epoch_steps = 10,
                          .decay_after = 4,
                          .decay = 2.5};
  EXPECT_DOUBLE_EQ(rate.at(1), 20.0 / 3);
  double expected = 20;
  for (std::int64_t step = 4; step <= 130; ++step) {
    if (step > 40 && step % 10 == 1) expected /= 2.5;
    EXPECT_NEAR(rate.at(step), expected, 1e-12 * expected) << step;
  }
}

TEST(LearningRate, PlateauDividesWhenValidationIsNoBetter) {
  LearningRate rate{.schedule = Schedule::kPlateau, .lr = 1, .warmup = 0, .steps = 100};
  rate.validated(true);
  EXPECT_DOUBLE_EQ(rate.at(5), 1);
  rate.validated(false);
  EXPECT_DOUBLE_EQ(rate.at(6), 0.25);
  rate.validated(false);
  EXPECT_DOUBLE_EQ(rate.at(7), 0.0625);
}

TEST(Pacing, ValidationIsOftenButCheap) {
  const EpochShape epoch{.windows = 1000, .tokens_per_step = 100, .valid_tokens = 1000};
  EXPECT_EQ(validation_interval(epoch, 13000), 1000) << "after every epoch of a long run";
  EXPECT_EQ(validation_interval(epoch, 2000), 200) << "ten times in a short one";
  const EpochShape large{.windows = 1000, .tokens_per_step = 100, .valid_tokens = 100000};
  EXPECT_GE(validation_interval(large, 2000), 1000) << "seldom where it is expensive";
  const EpochShape asked{.windows = 1000, .tokens_per_step = 100, .valid_tokens = 100000, .validate_every = 30};
  EXPECT_EQ(validation_interval(asked, 2000), 30) << "as asked for";
  const EpochShape none{.windows = 1000, .tokens_per_step = 100, .valid_tokens = 0};
  EXPECT_EQ(validation_interval(none, 2000), 0);
  EXPECT_EQ(validation_interval(epoch, 1), 1);
}

TEST(Pacing, StepsFitTheTime) {
  const EpochShape epoch{.windows = 1000, .tokens_per_step = 100, .valid_tokens = 1000};
  const MeasuredCost cost{.per_step = 0.01, .per_validation = 0.5, .per_save = 0.02};
  constexpr std::int64_t kMost = 1'000'000;
  EXPECT_EQ(steps_within(epoch, cost, 50, 1e9, 30), 30);
  for (const double seconds : {0.001, 0.5, 1.0, 10.0, 1000.0}) {
    const std::int64_t steps = steps_within(epoch, cost, 50, seconds, kMost);
    const auto duration = [&](std::int64_t count) {
      return static_cast<double>(count) * cost.per_step +
             static_cast<double>(validation_count(epoch, count)) * cost.per_validation +
             static_cast<double>(count / 50 + 1) * cost.per_save;
    };
    EXPECT_GE(steps, 1);
    if (steps > 1) {
      EXPECT_LE(duration(steps), seconds);
    }
    EXPECT_GT(duration(steps + 1), seconds) << "one more step would not have fitted";
  }
}

}  // namespace
}  // namespace unroll
