// How a run is driven: schedules, optimizers and what else decides each step, seen from outside.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/error_of.h"
#include "support/small_run.h"
#include "unroll/evaluate.h"
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
    options.text.paths = {folder_.path("short")};
    options.run.schedule = Schedule::kStep;
    options.run.optimizer = Optimizer::kSgd;
    options.run.decay_after = 2;
    return options;
  }
};

// The last weights jump about, so that the trigger fires early and the mean is better than they are.
void triggered_soon(TrainOptions& options) {
  options.run.average = Average::kTriggered;
  options.run.nonmono = 1;
  options.run.optimizer = Optimizer::kSgd;
  options.run.schedule = Schedule::kConstant;
  options.run.lr = 60;
  options.run.clip = 0.25;
  options.run.validate_every = 2;
}

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
  options.run.decay = 1.2;
  EXPECT_EQ(trained(options), trained_in_parts(options));
  EXPECT_EQ(recorded(options.files.save).at("decay"), "1.2");
  EXPECT_EQ(recorded(options.files.save).at("decay-after"), "2");
  options.files.resume = true;
  options.run.decay = 1.3;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.decay` is 1.3 now and was 1.2", [&] { train(options); }));
}

TEST_F(TrainControl, OptimizersResumeAndGiveTheSameBitsForAnyNumberOfThreads) {
  const auto check = [&](const std::string& what, void (*set)(TrainOptions&)) {
    TrainOptions options = small("whole");
    options.files.overwrite = true;
    const std::string plain = trained(options);
    set(options);
    const std::string whole = trained(options);
    EXPECT_NE(whole, plain) << what;
    EXPECT_EQ(trained_in_parts(options), whole) << what;
    options.run.threads = 3;
    EXPECT_EQ(trained(options), whole) << what;
  };
  check("momentum", [](TrainOptions& o) {
    o.run.optimizer = Optimizer::kSgd;
    o.run.momentum = 0.9;
    o.run.lr = 0.1;
  });
  check("SGD with decay", [](TrainOptions& o) {
    o.run.optimizer = Optimizer::kSgd;
    o.run.weight_decay = 1e-3;
  });
  check("AdamW", [](TrainOptions& o) {
    o.run.weight_decay = 0.1;
    o.run.beta2 = 0.99;
  });
  check("EMA", [](TrainOptions& o) {
    o.run.average = Average::kEma;
    o.run.ema_decay = 0.9;
  });
  check("triggered", triggered_soon);
  check("jitter", [](TrainOptions& o) { o.run.bptt_jitter = 4; });
  check("validation every three steps", [](TrainOptions& o) { o.run.validate_every = 3; });
}

TEST_F(TrainControl, AveragedWeightsAreValidatedAndTheBestOfAllIsKept) {
  for (const auto set : {+[](TrainOptions& o) { o.run.average = Average::kEma; }, +triggered_soon}) {
    TrainOptions options = small();
    options.files.overwrite = true;
    set(options);
    int averages = 0;
    double best = 1e9;
    const TrainResult result = train(options, {.on_step = [&](const StepReport& report) {
                                       if (!report.valid_nats_per_token) return;
                                       best = std::min(best, *report.valid_nats_per_token);
                                       if (!report.average_valid_nats_per_token) return;
                                       ++averages;
                                       best = std::min(best, *report.average_valid_nats_per_token);
                                     }});
    EXPECT_GT(averages, 2);
    EXPECT_EQ(*result.best_valid_nats_per_token, best);
    const Model model = Model::load(options.files.save);
    std::optional<double> recorded_best;
    for (const HistoryPoint& point : model.training().history) {
      averages -= point.average_valid_nats_per_token ? 1 : 0;
      const std::optional<double> nats = point.best_valid_nats_per_token();
      if (nats && (!recorded_best || *nats < *recorded_best)) recorded_best = nats;
    }
    EXPECT_EQ(averages, 0) << "the history names them too";
    EXPECT_EQ(recorded_best, best);
    options.files.overwrite = false;
    options.files.resume = true;
    const TrainResult again = train(options);
    EXPECT_TRUE(again.already_complete);
    EXPECT_EQ(again.best_step, result.best_step);
    EXPECT_EQ(again.best_is_average, result.best_is_average);
  }
}

TEST_F(TrainControl, TheAverageThatIsBestIsTheModel) {
  const std::string text = some_text();
  TrainOptions options = small();
  write_bytes(folder_.path("valid"), some_text(150).substr(text.size()));
  options.text.valid = folder_.path("valid");
  triggered_soon(options);
  const TrainResult result = train(options);
  ASSERT_TRUE(result.best_is_average) << "the run is made so that the last weights jump about";
  const Evaluation evaluation =
      evaluate(Model::load(options.files.save), {some_text(150).substr(text.size()), "valid"}, {});
  EXPECT_EQ(evaluation.nats_per_token, *result.best_valid_nats_per_token);
}

TEST_F(TrainControl, WithoutValidationTheMovingAverageIsTheModel) {
  TrainOptions options = small();
  options.text.valid_split = 0;
  const std::string last = trained(options);
  options.files.overwrite = true;
  options.run.average = Average::kEma;
  options.run.ema_decay = 1e-12;  // keeps nothing of itself
  train(options);
  write_bytes(folder_.path("last"), last);
  const Model a = Model::load(folder_.path("last"));
  const Model b = Model::load(options.files.save);
  EXPECT_EQ(evaluate(a, {some_text(), "text"}, {}).nats_per_token,
            evaluate(b, {some_text(), "text"}, {}).nats_per_token);
  options.run.ema_decay = 0.9;
  train(options);
  EXPECT_NE(evaluate(a, {some_text(), "text"}, {}).nats_per_token,
            evaluate(Model::load(options.files.save), {some_text(), "text"}, {}).nats_per_token);
}

TEST_F(TrainControl, PatienceEndsTheRunAndTheRunIsComplete) {
  TrainOptions options = small("whole");
  options.run.steps = 400;
  options.run.schedule = Schedule::kConstant;
  options.run.optimizer = Optimizer::kSgd;
  options.run.validate_every = 5;
  options.run.patience = 3;
  options.run.lr = 300;  // the first validation is about the best: nothing good comes of such a rate
  std::vector<double> losses;
  const TrainResult result = train(options, {.on_step = [&](const StepReport& report) {
                                     if (report.valid_nats_per_token) losses.push_back(*report.valid_nats_per_token);
                                   }});
  EXPECT_TRUE(result.stopped_early);
  EXPECT_FALSE(result.interrupted);
  EXPECT_LT(result.steps, 400);
  EXPECT_EQ(result.steps, result.best_step + 15);
  EXPECT_EQ(std::ranges::min_element(losses) - losses.begin(), std::ssize(losses) - 4);
  EXPECT_TRUE(Model::load(options.files.save).training().complete);
  EXPECT_FALSE(std::filesystem::exists(options.files.save + ".resume"));
  const std::string whole = bytes_of(options.files.save);
  options.files.resume = true;
  EXPECT_TRUE(train(options).already_complete);
  options.files.resume = false;
  options.files.save = folder_.path("again");
  int steps = 0;
  EXPECT_TRUE(train(options, {.on_step = [&](const StepReport&) { ++steps; },
                              .stop_requested = [&] { return steps == result.steps - 2; }})
                  .interrupted);
  options.files.resume = true;
  EXPECT_TRUE(train(options).stopped_early);
  EXPECT_EQ(bytes_of(options.files.save), whole);
}

TEST_F(TrainControl, JitteredWindowsScaleTheRateAndCoverTheEpoch) {
  TrainOptions options = small();
  options.run.bptt_jitter = 4;
  options.run.schedule = Schedule::kConstant;
  options.run.warmup = 0;
  options.text.valid_split = 0;
  options.run.lr = 0.01;
  options.run.epochs = 2;
  options.run.steps.reset();
  std::int64_t epoch = 0;
  std::int64_t epoch_tokens = 0;
  std::vector<StepReport> reports;
  train(options, {.on_plan =
                      [&](const TrainPlan& plan) {
                        epoch = plan.steps_per_epoch;
                        epoch_tokens = plan.train_tokens;
                        EXPECT_EQ(plan.bptt_jitter, 4);
                      },
                  .on_step = [&](const StepReport& report) { reports.push_back(report); }});
  ASSERT_EQ(std::ssize(reports), 2 * epoch);
  EXPECT_EQ(reports[static_cast<std::size_t>(epoch - 1)].tokens, epoch_tokens);
  EXPECT_EQ(reports.back().tokens, 2 * epoch_tokens);
  std::set<std::int64_t> lengths;
  std::int64_t before = 0;
  for (const StepReport& report : reports) {
    const std::int64_t predictions = report.tokens - before;
    before = report.tokens;
    if (report.step % epoch == 0) continue;  // rows end in the last window
    EXPECT_EQ(predictions % 5, 0);
    lengths.insert(predictions / 5);
    EXPECT_DOUBLE_EQ(report.lr, 0.01 * static_cast<double>(predictions) / 45);
  }
  EXPECT_GE(*lengths.begin(), 1);
  EXPECT_LE(*lengths.rbegin(), 17);
  EXPECT_GT(lengths.size(), 6);
}

TEST_F(TrainControl, ValidationComesAsOftenAsAskedFor) {
  TrainOptions options = small();
  options.run.validate_every = 7;
  std::vector<std::int64_t> steps;
  train(options, {.on_step = [&](const StepReport& report) {
          if (report.valid_nats_per_token) steps.push_back(report.step);
        }});
  EXPECT_EQ(steps, (std::vector<std::int64_t>{7, 14, 21, 28, 35, 40}));
}

TEST_F(TrainControl, AnOptionThatIsLeftOutNowIsNoticedToo) {
  TrainOptions options = small();
  options.run.weight_decay = 0.1;
  train(options);
  options.files.resume = true;
  options.run.weight_decay = 0;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.weight_decay` is 0 now and was 0.1", [&] { train(options); }));
}

TEST_F(TrainControl, MemoryOfMomentsIsPlanned) {
  const auto planned = [&](void (*set)(TrainOptions&)) {
    TrainOptions options = small();
    options.files.overwrite = true;
    set(options);
    std::int64_t bytes = 0;
    std::int64_t parameters = 0;
    train(options, {.on_plan = [&](const TrainPlan& plan) {
            bytes = plan.memory_bytes;
            parameters = 4 * plan.parameters;
          }});
    return std::pair(bytes, parameters);
  };
  const auto [sgd, parameters] = planned([](TrainOptions& o) { o.run.optimizer = Optimizer::kSgd; });
  const auto [momentum, same] = planned([](TrainOptions& o) {
    o.run.optimizer = Optimizer::kSgd;
    o.run.momentum = 0.5;
  });
  const auto [adam, again] = planned([](TrainOptions&) {});
  EXPECT_EQ(momentum - sgd, parameters);
  EXPECT_EQ(adam - sgd, 2 * parameters);
}

TEST_F(TrainControl, OptionsAtTheirDefaultsAreNotRecorded) {
  TrainOptions options = small();
  train(options);
  const auto names = recorded(options.files.save);
  for (const char* name : {"decay", "decay-after", "momentum", "beta2", "weight-decay", "average", "ema-decay",
                           "nonmono", "validate-every", "patience", "bptt-jitter"})
    EXPECT_FALSE(names.contains(name)) << name;
}

TEST_F(TrainControl, OptionsThatContradictEachOtherAreRefusedByName) {
  struct Case {
    std::string message;
    void (*set)(TrainOptions&);
  };
  const std::vector<Case> cases{
      {"`run.momentum` is for `run.optimizer` sgd: here it is adam", [](TrainOptions& o) { o.run.momentum = 0.9; }},
      {"`run.momentum` is 1: expected a number from 0 to below 1", [](TrainOptions& o) { o.run.momentum = 1; }},
      {"`run.beta2` is for `run.optimizer` adam: here it is sgd",
       [](TrainOptions& o) {
         o.run.beta2 = 0.9;
         o.run.optimizer = Optimizer::kSgd;
       }},
      {"`run.ema_decay` is for `run.average` ema: here it is none", [](TrainOptions& o) { o.run.ema_decay = 0.5; }},
      {"`run.nonmono` is for `run.average` triggered: here it is none", [](TrainOptions& o) { o.run.nonmono = 2; }},
      {"`run.patience` is set, which needs validation",
       [](TrainOptions& o) {
         o.run.patience = 2;
         o.text.valid_split = 0;
       }},
      {"`run.average` is triggered, which needs validation",
       [](TrainOptions& o) {
         o.run.average = Average::kTriggered;
         o.text.valid_split = 0;
       }},
      {"`run.bptt_jitter` is 5: expected 0 or more, below half of `run.bptt` 9",
       [](TrainOptions& o) { o.run.bptt_jitter = 5; }},
      {"`run.beta2` is 1: expected", [](TrainOptions& o) { o.run.beta2 = 1; }},
      {"`run.weight_decay` is -1: expected a number from 0 up", [](TrainOptions& o) { o.run.weight_decay = -1; }},
      {"`run.decay` is for `run.schedule` step: here it is cosine", [](TrainOptions& o) { o.run.decay = 2; }},
      {"`run.decay_after` is for `run.schedule` step", [](TrainOptions& o) { o.run.decay_after = 2; }},
      {"`run.schedule` is step: give `run.decay_after`", [](TrainOptions& o) { o.run.schedule = Schedule::kStep; }},
  };
  for (const Case& wrong : cases) {
    TrainOptions options = small();
    wrong.set(options);
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, wrong.message, [&] { train(options); }));
  }
}

}  // namespace
}  // namespace unroll
