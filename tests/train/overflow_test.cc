// Runs whose numbers overflow end as errors, and leave the files that were there.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/error_of.h"
#include "support/small_run.h"

namespace unroll {
namespace {

class Overflow : public SmallRun {
 protected:
  // Every loss and gradient of its steps is finite, but not the weights that the last one leaves, or their loss.
  TrainOptions overflowing(double lr) {
    TrainOptions options = small();
    options.network.cell = Cell::kRnnRelu;
    options.run.optimizer = Optimizer::kSgd;
    options.run.clip = 0;
    options.run.lr = lr;
    options.run.steps = 1;
    options.text.valid_split = 0;
    return options;
  }
};

TEST_F(Overflow, OfTheLastUpdateIsAnErrorAndNoModel) {
  for (const Average average : {Average::kNone, Average::kEma}) {
    TrainOptions options = overflowing(1e30);
    options.run.average = average;
    EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "step 1: the weights after it overflow, and their loss",
                           [&] { train(options); }));
    options.run.lr = 1e300;
    EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "step 1: the weights after it overflow, and are infinite",
                           [&] { train(options); }));
    EXPECT_FALSE(std::filesystem::exists(options.files.save));
  }
}

TEST_F(Overflow, IsNoticedBeforeASaveWouldReplaceAGoodOne) {
  TrainOptions options = overflowing(0.1);
  options.files.save_every = 1;
  options.run.steps = 5;
  const std::string good = trained(options);
  options.files.overwrite = true;
  options.run.lr = 1e30;
  for (const double split : {0.0, 0.1}) {
    options.text.valid_split = split;
    options.run.validate_every = split > 0 ? 3 : 0;
    EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "step 1: the weights after it overflow", [&] { train(options); }));
    EXPECT_EQ(bytes_of(options.files.save), good);
    EXPECT_FALSE(std::filesystem::exists(options.files.save + ".resume"));
  }
}

// Before the first step a run is measured by steps that it does not keep, and that may not be its own.
TEST_F(Overflow, WhileTheRunIsMeasuredIsNotTheRuns) {
  TrainOptions options = overflowing(1e30);
  options.run.steps = 3;
  bool planned = false;
  const auto run = [&] { train(options, {.on_plan = [&](const TrainPlan&) { planned = true; }}); };
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "step 2: ", run));
  EXPECT_TRUE(planned);
}

}  // namespace
}  // namespace unroll
