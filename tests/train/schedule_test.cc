#include "train/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

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

const EpochShape kEpoch{.windows = 1000, .tokens_per_step = 100, .valid_tokens = 1000};

TEST(Pacing, AsManyStepsAsFitTheTime) {
  const MeasuredCost cost{.per_step = 0.01, .per_valid_token = 0.0001, .per_save = 0.02};
  for (const std::int64_t validate_every : {0, 7}) {
    EpochShape epoch = kEpoch;
    epoch.validate_every = validate_every;
    for (const double seconds : {1.0, 10.0, 1000.0}) {
      const Pace pace = pace_within(epoch, cost, 50, seconds);
      const double taken = seconds_of(pace, cost, 50);
      EXPECT_LE(taken, seconds);
      EXPECT_GE(taken, 0.9 * seconds - 0.2) << "little of " << seconds << " s is left";
    }
  }
  EXPECT_EQ(pace_within(kEpoch, cost, 50, 1e30).steps, kMostSteps);
}

TEST(Pacing, ValidationsTakeATenthOfTheTimeAtMost) {
  MeasuredCost cost{.per_step = 0.01, .per_valid_token = 0.00001};
  const auto validations = [](const Pace& pace) { return (pace.steps - 1) / pace.validate_every + 1; };
  EXPECT_EQ(validations(pace_within(kEpoch, cost, 50, 20)), 10) << "ten in a short run";
  EXPECT_EQ(validations(pace_within(kEpoch, cost, 50, 200)), 20) << "one after each epoch of a long one";
  for (const double per_token : {0.0005, 0.003, 0.05}) {
    cost.per_valid_token = per_token;
    for (const double seconds : {30.0, 100.0, 1000.0}) {
      const Pace pace = pace_within(kEpoch, cost, 50, seconds);
      const double spent = static_cast<double>(validations(pace) * pace.valid_tokens) * per_token;
      EXPECT_LE(spent, std::max(0.1 * seconds, 1000 * per_token)) << per_token << " in " << seconds;
    }
  }
}

TEST(Pacing, WhereOneValidationDoesNotFitItReadsPartOfTheText) {
  EpochShape epoch{.windows = 1000, .tokens_per_step = 100, .valid_tokens = 111540};
  const MeasuredCost cost{.per_step = 0.01, .per_valid_token = 0.00002};
  const Pace pace = pace_within(epoch, cost, 50, 3);
  EXPECT_EQ(pace.valid_tokens, 15000);
  EXPECT_EQ(pace.validate_every, pace.steps) << "after the last step alone";
  EXPECT_EQ(pace_within(epoch, cost, 50, 0.001).valid_tokens, 1000) << "some, whatever they cost";
  epoch.valid_tokens_asked = true;
  EXPECT_EQ(pace_within(epoch, cost, 50, 3).valid_tokens, 111540) << "as asked for";
}

TEST(Pacing, ARunThatCannotFitHasOneStepAndItsTimeIsKnown) {
  const MeasuredCost cost{.per_step = 12, .per_valid_token = 0.01};
  const Pace pace = pace_within(kEpoch, cost, 50, 3);
  EXPECT_EQ(pace.steps, 1);
  EXPECT_NEAR(seconds_of(pace, cost, 50), 12 + 10, 1e-9);
  EXPECT_EQ(pace_within({.windows = 10, .tokens_per_step = 100}, cost, 50, 30).validate_every, 0) << "no validation";
}

}  // namespace
}  // namespace unroll
