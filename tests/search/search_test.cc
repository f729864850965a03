#include "search/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/error_of.h"
#include "support/small_run.h"
#include "unroll/error.h"
#include "unroll/train_options.h"

namespace unroll {
namespace {

// A world whose trials take a second per epoch and are the better the closer their rate is to 0.004, the longer
// they are, and with 100 units; their models hold what they were trained with.
class Searching : public SmallRun {
 protected:
  AutoTrainOptions options(double seconds) {
    AutoTrainOptions options{.train = default_options(TaskKind::kClassify), .minutes = seconds / 60};
    options.train.text.paths = {"texts"};
    options.train.files.save = folder_.path("model");
    return options;
  }

  TrainResult train_in_no_time(const TrainOptions& options, const TrainObserver& observer) {
    ++calls_;
    TrainPlan plan;
    plan.steps = options.run.epochs.value_or(options.run.steps.value_or(options.run.minutes ? 1 : 6));
    plan.steps_per_epoch = 1;
    plan.seconds_per_step = seconds_per_epoch_;
    if (observer.on_plan) observer.on_plan(plan);
    for (std::int64_t epoch = 0; epoch < plan.steps; ++epoch) {
      if (observer.stop_requested && observer.stop_requested()) return {.interrupted = true, .steps = epoch};
      now_ += seconds_per_epoch_;
    }
    if (options.run.lr == failing_rate_) throw Error(ErrorCode::kNumeric, "the loss is NaN");
    write_bytes(options.files.save, name_of(options));
    TrainResult result{.steps = plan.steps};
    result.best_valid_nats_per_token = std::abs(options.run.lr - 0.004) * 100 + 1.0 / static_cast<double>(plan.steps) +
                                       0.01 * static_cast<double>(options.network.layers) +
                                       (options.network.hidden == 100 ? 0 : 0.001);
    result.best_valid_accuracy = 0.5;
    return result;
  }

  static std::string name_of(const TrainOptions& options) {
    return "lr " + std::to_string(options.run.lr) + " layers " + std::to_string(options.network.layers) + " hidden " +
           std::to_string(options.network.hidden) + " readout " + std::string(readout_name(options.task.readout)) +
           " dropout " + std::to_string(options.regularization.output) + " epochs " +
           std::to_string(options.run.epochs.value_or(0));
  }

  AutoTrainResult search(const AutoTrainOptions& options, const AutoTrainObserver& observer = {}) {
    now_ = 0;
    calls_ = 0;
    return search_settings(
        options, observer,
        {.train = [this](const TrainOptions& one, const TrainObserver& watch) { return train_in_no_time(one, watch); },
         .seconds = [this] { return now_; }});
  }

  // Stops when that many trials are finished.
  static AutoTrainObserver stopping_after(std::size_t trials) {
    auto finished = std::make_shared<std::size_t>(0);
    AutoTrainObserver observer;
    observer.on_trial = [finished](const AutoTrial&, bool) { ++*finished; };
    observer.stop_requested = [finished, trials] { return *finished >= trials; };
    return observer;
  }

  [[nodiscard]] bool exists(const std::string& name) const { return std::filesystem::exists(folder_.path(name)); }

  double now_ = 0;
  double seconds_per_epoch_ = 1;
  double failing_rate_ = -1;
  int calls_ = 0;
};

using Settings = std::vector<std::pair<std::string, std::string>>;

TEST_F(Searching, TheGivenSettingsComeFirstAndTheBetterThirdIsTrainedLonger) {
  const AutoTrainResult result = search(options(70));
  ASSERT_FALSE(result.trials.empty());
  EXPECT_TRUE(result.trials[0].settings.empty());
  EXPECT_EQ(result.trials[0].epochs, 6);
  std::map<std::int64_t, int> lengths;
  for (const AutoTrial& trial : result.trials) ++lengths[*trial.epochs];
  EXPECT_EQ(lengths[2], 10);
  EXPECT_EQ(lengths[6], 5);  // with the first one
  EXPECT_EQ(lengths[18], 1);
  EXPECT_LE(now_, 70);
  const AutoTrial& best = result.trials[*result.best];
  EXPECT_EQ(best.epochs, 18);
  EXPECT_EQ(best.settings, (Settings{{"lr", "0.004"}}));
}

TEST_F(Searching, TheModelOfTheBestTrialIsAtItsPlaceAndNothingElseIsLeft) {
  search(options(70));
  TrainOptions best = options(70).train;
  best.run.lr = 0.004;
  best.run.epochs = 18;
  EXPECT_EQ(bytes_of(folder_.path("model")), name_of(best));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(Searching, FixedFieldsStayAndAGivenLengthIsThatOfAllTrials) {
  AutoTrainOptions fixed = options(100);
  fixed.fixed = {"run.lr", "network.layers", "run.epochs"};
  fixed.train.run.epochs = 5;
  const AutoTrainResult result = search(fixed);
  EXPECT_GE(result.trials.size(), 10U);
  for (const AutoTrial& trial : result.trials) {
    EXPECT_EQ(trial.steps, 5);
    for (const auto& [name, value] : trial.settings) EXPECT_TRUE(name != "lr" && name != "layers") << name;
  }
}

TEST_F(Searching, NoTrialIsTwiceAndTheTimeIsKept) {
  for (const double seconds : {13.0, 20.0, 33.0, 200.0}) {
    AutoTrainOptions one = options(seconds);
    one.train.files.overwrite = true;
    const AutoTrainResult result = search(one);
    EXPECT_LE(now_, seconds);
    EXPECT_GE(now_, 0.5 * seconds) << result.exhausted;
    std::set<std::pair<Settings, std::int64_t>> seen;
    for (const AutoTrial& trial : result.trials) EXPECT_TRUE(seen.insert({trial.settings, *trial.epochs}).second);
    for (const AutoTrial& trial : result.trials) {
      EXPECT_GE(trial.score->nats, result.trials[*result.best].score->nats);
    }
  }
}

TEST_F(Searching, AStoppedSearchKeepsTheBestAndGoesOnAsIfItHadNotStopped) {
  const AutoTrainResult whole = search(options(70));
  const std::string model = bytes_of(folder_.path("model"));
  std::filesystem::remove(folder_.path("model"));
  AutoTrainOptions resumed = options(70);
  std::size_t finished = 0;
  for (const std::size_t more : {4U, 5U}) {
    const AutoTrainResult part = search(resumed, stopping_after(more));
    finished += more;
    EXPECT_TRUE(part.interrupted);
    EXPECT_EQ(part.trials.size(), finished);
    EXPECT_TRUE(exists("model.auto"));
    EXPECT_FALSE(exists("model.trial"));
    EXPECT_EQ(calls_, static_cast<int>(more));
    resumed.train.files.resume = true;
  }
  const AutoTrainResult rest = search(resumed);
  EXPECT_FALSE(rest.interrupted);
  EXPECT_FALSE(exists("model.auto"));
  EXPECT_EQ(bytes_of(folder_.path("model")), model);
  ASSERT_EQ(rest.trials.size(), whole.trials.size());
  for (std::size_t i = 0; i < whole.trials.size(); ++i) {
    EXPECT_EQ(rest.trials[i].settings, whole.trials[i].settings);
    EXPECT_EQ(rest.trials[i].epochs, whole.trials[i].epochs);
  }
}

TEST_F(Searching, AStopInTheFirstTrialLeavesNothing) {
  const AutoTrainResult result = search(options(70), stopping_after(0));
  EXPECT_TRUE(result.interrupted);
  EXPECT_FALSE(result.best);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Searching, ATrialThatFailsIsAResultButTheFirstIsAnError) {
  failing_rate_ = 0.001;
  const AutoTrainResult result = search(options(70));
  const auto failed = std::ranges::find_if(result.trials, [](const AutoTrial& trial) { return !trial.score; });
  ASSERT_NE(failed, result.trials.end());
  EXPECT_EQ(failed->failure, "the loss is NaN");
  std::filesystem::remove(folder_.path("model"));
  failing_rate_ = 0.002;
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "NaN", [&] { search(options(70)); }));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Searching, TimeForLessThanTheFirstTrialIsGivenToOneRunOfMinutes) {
  seconds_per_epoch_ = 100;
  const AutoTrainResult result = search(options(300));
  EXPECT_EQ(calls_, 2);
  ASSERT_EQ(result.trials.size(), 1U);
  EXPECT_FALSE(result.trials[0].epochs);
  EXPECT_EQ(bytes_of(folder_.path("model")).substr(0, 11), "lr 0.002000");
}

TEST_F(Searching, OtherOptionsAndForeignFilesAreRefused) {
  search(options(70), stopping_after(3));
  AutoTrainOptions other = options(70);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "exists", [&] { search(other); }));
  other.train.files.resume = true;
  other.train.run.clip = 0.5;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "clip is \"0.5\", and was", [&] { search(other); }));
  const std::string log = bytes_of(folder_.path("model.auto"));
  other = options(70);
  other.train.files.resume = true;
  write_bytes(folder_.path("model.auto"), log.substr(0, log.size() - 3) + "x\n");
  EXPECT_TRUE(fails_with(ErrorCode::kFormat, "not what a search", [&] { search(other); }));
  write_bytes(folder_.path("model.auto"), "my notes");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "something else", [&] { search(other); }));
  EXPECT_EQ(bytes_of(folder_.path("model.auto")), "my notes");
}

TEST_F(Searching, TheBestTrialIsRepeatedByATrainingOfItsOwn) {
  std::string texts;
  for (int i = 0; i < 60; ++i) {
    texts += i % 2 == 0 ? "__label__good film " : "__label__bad film ";
    texts += std::to_string(i) + (i % 2 == 0 ? " is great\n" : " was dull\n");
  }
  write_bytes(folder_.path("texts"), texts);
  AutoTrainOptions small = options(40);
  small.train.text.paths = {folder_.path("texts")};
  small.train.network.hidden = small.train.network.embed = 3;
  small.train.run.threads = 1;
  small.fixed = {"network.hidden", "tokenizer.kind"};
  double now = 0;
  const AutoTrainResult result =
      search_settings(small, {}, {.train = train, .seconds = [&now] { return now += 0.05; }});
  ASSERT_TRUE(result.best);
  EXPECT_GE(result.trials.size(), 3U);
  const AutoTrial& best = result.trials[*result.best];
  TrainOptions again = small.train;
  for_each_option(again, [&](const TrainOption& option, auto& value) {
    for (const auto& [name, text] : best.settings) {
      if (name != option.name) continue;
      if constexpr (std::is_same_v<decltype(value), double&>) value = std::stod(text);
      if constexpr (std::is_same_v<decltype(value), std::int64_t&>) value = std::stoll(text);
      if constexpr (std::is_same_v<decltype(value), Readout&>) value = parse_readout(text);
    }
  });
  again.run.epochs = best.epochs;
  again.files.save = folder_.path("again");
  EXPECT_EQ(trained(again), bytes_of(folder_.path("model")));
  small.train.files.resume = true;
  EXPECT_TRUE(search(small).already_complete);
}

}  // namespace
}  // namespace unroll
