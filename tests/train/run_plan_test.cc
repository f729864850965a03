#include "train/run_plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "kernels/processor.h"
#include "support/error_of.h"
#include "support/small_run.h"
#include "train/memory_plan.h"

namespace unroll {
namespace {

class RunPlanTest : public SmallRun {
 protected:
  RunPlan plan(const TrainOptions& asked, const NamedValues* resumed = nullptr) {
    notes_.clear();
    const TrainOptions options = resolve(asked);
    const TrainingText text = read_training_text(options, nullptr);
    return plan_run({.options = options, .text = text, .resumed = resumed},
                    {.on_note = [&](std::string_view note) { notes_ += std::string(note) + '\n'; }});
  }

  std::string notes_;
};

TEST_F(RunPlanTest, TheBatchFitsTheText) {
  TrainOptions options = small();
  const RunPlan whole = plan(options);
  EXPECT_EQ(whole.batch_size, 5);
  EXPECT_EQ(notes_, "");
  options.run.batch_size = 60000;
  const RunPlan fitting = plan(options);
  EXPECT_EQ(fitting.batch_size, fitting.epoch.train_tokens / 2);
  EXPECT_NE(notes_.find("batch size 60000 -> "), std::string::npos) << notes_;
  EXPECT_EQ(named_value(fitting.recorded, "batch-size"), std::to_string(fitting.batch_size));
}

TEST_F(RunPlanTest, LengthIsInStepsUnlessItIsMinutes) {
  TrainOptions options = small();
  const RunPlan steps = plan(options);
  EXPECT_EQ(planned_steps(steps), 40);
  EXPECT_EQ(describe(steps.length), "steps 40");
  options.run.steps.reset();
  options.run.epochs = 3;
  const RunPlan epochs = plan(options);
  EXPECT_EQ(planned_steps(epochs), 3 * epochs.epoch.windows);
  EXPECT_EQ(describe(epochs.length), "epochs 3");
  options.run.epochs = kMostSteps;
  const RunPlan many = plan(options);
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "`run.epochs` 2147483648 are more than", [&] { (void)planned_steps(many); }));
  options.run.epochs.reset();
  EXPECT_EQ(describe(plan(options).length), "epochs 10");
  options.run.minutes = 0.25;
  EXPECT_EQ(planned_steps(plan(options)), std::nullopt);
  EXPECT_EQ(describe(plan(options).length), "minutes 0.25");
}

TEST_F(RunPlanTest, PrecisionIsAskedForOrThatOfTheResumedRunOrTheProcessors) {
  TrainOptions options = small();
  const RunPlan chosen = plan(options);
  EXPECT_EQ(chosen.precision, has_bf16_products() ? Precision::kBf16 : Precision::kF32);
  EXPECT_NE(chosen.precision_reason, "");
  for (const auto& [recorded, expected] :
       {std::pair(NamedValues{{"precision", "bf16"}}, Precision::kBf16), std::pair(NamedValues{}, Precision::kF32)}) {
    const RunPlan resumed = plan(options, &recorded);
    EXPECT_EQ(resumed.precision, expected);
    EXPECT_EQ(resumed.precision_reason, "as the run began");
    EXPECT_EQ(named_value(resumed.recorded, "precision"), precision_name(expected));
  }
  options.run.precision = Precision::kBf16;
  EXPECT_EQ(plan(options).precision_reason, "");
}

TEST_F(RunPlanTest, SamplesFollowFromTheVocabulary) {
  TrainOptions options = small();
  options.network.softmax = Softmax::kSampled;
  const RunPlan sampled = plan(options);
  EXPECT_EQ(sampled.samples, sampled.config.vocabulary / 10);
  EXPECT_TRUE(sampled.update.rows_rest);
  EXPECT_NE(notes_.find("`network.softmax` sampled takes the first symbols"), std::string::npos) << notes_;
  EXPECT_LT(trained_products(sampled), multiplied_weights(sampled.config));
  const RunPlan full = plan(small());
  EXPECT_EQ(full.samples, 0);
  EXPECT_EQ(trained_products(full), multiplied_weights(full.config));
}

TEST_F(RunPlanTest, WarmUpIsATwentiethOfTheRunForAdam) {
  TrainOptions options = small();
  EXPECT_EQ(warmup_steps(plan(options), 40), 2);
  EXPECT_EQ(warmup_steps(plan(options), 100000), 100);
  options.run.warmup = 7;
  EXPECT_EQ(warmup_steps(plan(options), 40), 7);
  options.run.warmup = -1;
  options.run.optimizer = Optimizer::kSgd;
  EXPECT_EQ(warmup_steps(plan(options), 40), 0);
}

}  // namespace
}  // namespace unroll
