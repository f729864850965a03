// How a run is driven: schedules, optimizers and what else decides each step, seen from outside.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "error_of.h"
#include "small_run.h"
#include "unroll/model.h"
#include "unroll/train.h"

namespace unroll {
namespace {

class TrainControl : public SmallRun {
 protected:
  // Stepwise decay within the run's forty steps.
  TrainOptions stepwise(const std::string& name = "model") {
    TrainOptions options = small(name);
    write_bytes(folder_.path("short"), some_text(8));
    options.texts = {folder_.path("short")};
    options.schedule = Schedule::kStep;
    options.optimizer = Optimizer::kSgd;
    options.decay_after = 2;
    return options;
  }
};

// The record of the model's options, by name.
std::map<std::string, std::string> recorded(const std::string& path) {
  const Model model = Model::load(path);
  return {model.training().options.begin(), model.training().options.end()};
}

TEST_F(TrainControl, StepDecayHalvesTheRateAfterEachEpochBeyondTheFirstOnes) {
  TrainOptions options = stepwise();
  std::vector<double> rates;
  std::int64_t epoch = 0;
  train(options, {.on_plan = [&](const TrainPlan& plan) { epoch = plan.steps_per_epoch; },
                  .on_step = [&](const StepReport& report) { rates.push_back(report.lr); }});
  ASSERT_GT(epoch, 1);
  ASSERT_GT(std::ssize(rates), 4 * epoch);
  for (std::int64_t step = 0; step < std::ssize(rates); ++step) {
    double expected = 1;
    for (std::int64_t done = 2; done <= step / epoch; ++done) expected /= 2;
    EXPECT_DOUBLE_EQ(rates[static_cast<std::size_t>(step)], expected) << step;
  }
}

TEST_F(TrainControl, StepDecayResumesAndIsRecorded) {
  TrainOptions options = stepwise("whole");
  options.decay = 1.2;
  EXPECT_EQ(trained(options), trained_in_parts(options));
  EXPECT_EQ(recorded(options.save).at("decay"), "1.2");
  EXPECT_EQ(recorded(options.save).at("decay-after"), "2");
  options.resume = true;
  options.decay = 1.3;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "--decay is 1.3 now and was 1.2", [&] { train(options); }));
}

TEST_F(TrainControl, OptimizersResumeAndGiveTheSameBitsForAnyNumberOfThreads) {
  const auto check = [&](const std::string& what, void (*set)(TrainOptions&)) {
    TrainOptions options = small("whole");
    options.overwrite = true;
    const std::string plain = trained(options);
    set(options);
    const std::string whole = trained(options);
    EXPECT_NE(whole, plain) << what;
    EXPECT_EQ(trained_in_parts(options), whole) << what;
    options.threads = 3;
    EXPECT_EQ(trained(options), whole) << what;
  };
  check("momentum", [](TrainOptions& o) {
    o.optimizer = Optimizer::kSgd;
    o.momentum = 0.9;
    o.lr = 0.1;
  });
  check("SGD with decay", [](TrainOptions& o) {
    o.optimizer = Optimizer::kSgd;
    o.weight_decay = 1e-3;
  });
  check("AdamW", [](TrainOptions& o) {
    o.weight_decay = 0.1;
    o.beta2 = 0.99;
  });
}

TEST_F(TrainControl, AnOptionThatIsLeftOutNowIsNoticedToo) {
  TrainOptions options = small();
  options.weight_decay = 0.1;
  train(options);
  options.resume = true;
  options.weight_decay = 0;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "--weight-decay is 0 now and was 0.1", [&] { train(options); }));
}

TEST_F(TrainControl, MemoryOfMomentsIsPlanned) {
  const auto planned = [&](void (*set)(TrainOptions&)) {
    TrainOptions options = small();
    options.overwrite = true;
    set(options);
    std::int64_t bytes = 0;
    std::int64_t parameters = 0;
    train(options, {.on_plan = [&](const TrainPlan& plan) {
            bytes = plan.memory_bytes;
            parameters = 4 * plan.parameters;
          }});
    return std::pair(bytes, parameters);
  };
  const auto [sgd, parameters] = planned([](TrainOptions& o) { o.optimizer = Optimizer::kSgd; });
  const auto [momentum, same] = planned([](TrainOptions& o) {
    o.optimizer = Optimizer::kSgd;
    o.momentum = 0.5;
  });
  const auto [adam, again] = planned([](TrainOptions&) {});
  EXPECT_EQ(momentum - sgd, parameters);
  EXPECT_EQ(adam - sgd, 2 * parameters);
}

TEST_F(TrainControl, OptionsAtTheirDefaultsAreNotRecorded) {
  TrainOptions options = small();
  train(options);
  const auto names = recorded(options.save);
  for (const char* name : {"decay", "decay-after", "momentum", "beta2", "weight-decay"})
    EXPECT_FALSE(names.contains(name)) << name;
}

TEST_F(TrainControl, OptionsThatContradictEachOtherAreRefusedByName) {
  struct Case {
    std::string message;
    void (*set)(TrainOptions&);
  };
  const std::vector<Case> cases{
      {"--momentum is for --optimizer sgd: here it is adam", [](TrainOptions& o) { o.momentum = 0.9; }},
      {"--momentum is 1: expected", [](TrainOptions& o) { o.momentum = 1; }},
      {"--beta2 is for --optimizer adam: here it is sgd",
       [](TrainOptions& o) {
         o.beta2 = 0.9;
         o.optimizer = Optimizer::kSgd;
       }},
      {"--beta2 is 1: expected", [](TrainOptions& o) { o.beta2 = 1; }},
      {"--weight-decay is -1: expected", [](TrainOptions& o) { o.weight_decay = -1; }},
      {"--decay is for --schedule step: here it is cosine", [](TrainOptions& o) { o.decay = 2; }},
      {"--decay-after is for --schedule step", [](TrainOptions& o) { o.decay_after = 2; }},
      {"--schedule step without --decay-after", [](TrainOptions& o) { o.schedule = Schedule::kStep; }},
  };
  for (const Case& wrong : cases) {
    TrainOptions options = small();
    wrong.set(options);
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, wrong.message, [&] { train(options); }));
  }
}

}  // namespace
}  // namespace unroll
