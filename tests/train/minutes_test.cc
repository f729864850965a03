#include "train/minutes.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "support/error_of.h"
#include "support/small_run.h"
#include "train/settings.h"
#include "unroll/model.h"

namespace unroll {
namespace {

class Minutes : public SmallRun {
 protected:
  // A run of a moment, with nothing said about network and updates.
  TrainOptions fitted(const std::string& name) {
    TrainOptions options;
    options.text = small().text;
    options.files.save = folder_.path(name);
    options.run.minutes = 0.004;
    options.run.fit_to_minutes = true;
    options.run.threads = 1;
    return options;
  }

  static std::string decided(const TrainPlan& plan, const std::string& name) {
    return named_value(plan.decided, name).value_or("");
  }
};

TEST_F(Minutes, AShortRunTakesTheSmallestSetting) {
  TrainPlan plan;
  train(fitted("short"), {.on_plan = [&](const TrainPlan& made) { plan = made; }});
  const Setting& smallest = settings_for(30).front();
  EXPECT_EQ(plan.config.cell, smallest.cell);
  EXPECT_EQ(plan.config.hidden, smallest.hidden);
  EXPECT_EQ(decided(plan, "hidden"), std::to_string(smallest.hidden));
  EXPECT_EQ(decided(plan, "steps"), std::to_string(plan.steps));
  EXPECT_EQ(decided(plan, "precision"), precision_name(plan.precision));
}

TEST_F(Minutes, WhatWasDecidedRepeatsTheRun) {
  TrainPlan plan;
  const std::string timed = trained(fitted("timed"), {.on_plan = [&](const TrainPlan& made) { plan = made; }});
  TrainOptions counted = with_setting(fitted("counted"), settings_for(30).front());
  counted.run.fit_to_minutes = false;
  counted.run.minutes.reset();
  counted.run.steps = plan.steps;
  counted.run.validate_every = plan.validate_every;
  if (plan.valid_tokens < plan.valid_text_tokens) counted.text.valid_tokens = plan.valid_tokens;
  EXPECT_TRUE(trained(counted) == timed);
}

TEST_F(Minutes, AResumedRunKeepsWhatItBeganWith) {
  TrainOptions options = fitted("parts");
  options.run.minutes = 0.05;
  TrainPlan begun;
  const auto one_step = [&](TrainPlan& plan) {
    bool stepped = false;
    return train(options, {.on_plan = [&](const TrainPlan& made) { plan = made; },
                           .on_step = [&](const StepReport&) { stepped = true; },
                           .stop_requested = [&] { return stepped; }});
  };
  ASSERT_TRUE(one_step(begun).interrupted) << "no time for a second step";
  options.files.resume = true;
  TrainPlan resumed;
  one_step(resumed);
  EXPECT_EQ(resumed.first_step, 1);
  EXPECT_EQ(resumed.steps, begun.steps);
  EXPECT_EQ(resumed.decided, begun.decided);
}

TEST_F(Minutes, ASettingIsChosenOrGivenButNotBoth) {
  TrainOptions options = fitted("refused");
  options.network.hidden = 99;
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "`network.hidden` is 99, and `run.fit_to_minutes`", [&] { train(options); }));
  options = fitted("refused");
  options.run.minutes.reset();
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.fit_to_minutes` needs `run.minutes`", [&] { train(options); }));
}

TEST_F(Minutes, SettingsGrow) {
  for (const std::int64_t V : {2, 65, 10000}) {
    const std::span<const Setting> settings = settings_for(V);
    EXPECT_EQ(settings.front().least_steps, 0);
    for (std::size_t i = 1; i < settings.size(); ++i) EXPECT_GT(settings[i].least_steps, settings[i - 1].least_steps);
  }
}

TEST_F(Minutes, ValidationReadsAsMuchAsWasAskedFor) {
  TrainOptions options = small("part");
  options.text.valid_tokens = 100;
  TrainPlan plan;
  train(options, {.on_plan = [&](const TrainPlan& made) { plan = made; }});
  EXPECT_EQ(plan.valid_tokens, 100);
  EXPECT_GT(plan.valid_text_tokens, 100);
  const Model model = Model::load(options.files.save);
  EXPECT_EQ(named_value(model.training().options, "valid-tokens"), "100");
}

}  // namespace
}  // namespace unroll
