// Runs by several ranks, which are threads here: the bytes of one, however many there are and whoever resumes them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "dist/shares.h"
#include "dist/sum_tree.h"
#include "network/gradients.h"
#include "support/dense_run.h"
#include "support/error_of.h"
#include "support/small_run.h"
#include "support/thread_ranks.h"
#include "train/initial_weights.h"
#include "train/options.h"
#include "train/replicas.h"
#include "train/run_plan.h"
#include "train/training_text.h"
#include "unroll/train.h"

namespace unroll {
namespace {

// Bytes that a rank of P sends in a step with R replicas and `floats` dense gradients, without rows: of each of its
// nodes of the tree what others own, and to each of the others the parameters that it owns, a sum for each of their
// tiles, and two records for each of its replicas (docs/scale.md).
std::int64_t derived_bytes(std::int64_t floats, std::int64_t R, std::int64_t P, std::int64_t rank) {
  constexpr std::int64_t kFloat = 4;
  constexpr std::int64_t kSum = 8;
  constexpr std::int64_t kRecords = 48;
  const ShareRange replicas = replicas_of_rank(R, P, rank);
  const auto nodes = static_cast<std::int64_t>(nodes_of(replicas).size());
  const std::int64_t owned = owned_by_rank(floats, kGradientTile, P, rank).size();
  const std::int64_t tiles = (owned + kGradientTile - 1) / kGradientTile;
  const std::int64_t to_each = kFloat * owned + kSum * tiles + kRecords * replicas.size();
  return kFloat * nodes * (floats - owned) + (P - 1) * to_each;
}

class RanksTrain : public DenseRun {
 protected:
  // Eight replicas of ten rows.
  TrainOptions replicated(const std::string& name = "model") {
    TrainOptions options = small(name);
    options.run.batch_size = 10;
    options.run.replicas = 8;
    options.run.steps = 20;
    options.files.overwrite = true;
    return options;
  }

  // The bytes of a model that P ranks train, with 1 or 2 threads each. Stops after `steps` steps, where they are not 0.
  std::string trained_by(int P, const TrainOptions& options, int steps = 0) {
    const std::vector<std::string> errors = run_ranks(P, [&](Ranks& ranks) {
      TrainOptions mine = options;
      mine.run.threads = 1 + ranks.rank() % 2;
      int made = 0;
      // One rank alone is asked to stop.
      train_together(mine,
                     {.on_step = [&](const StepReport&) { ++made; },
                      .stop_requested = [&] { return steps > 0 && made == steps && ranks.rank() == P - 1; }},
                     ranks);
    });
    EXPECT_EQ(errors, std::vector<std::string>(static_cast<std::size_t>(P)));
    return bytes_of(options.files.save);
  }

  static std::string message_of(const TrainOptions& options) {
    const std::optional<Error> error = error_of([&] { train(options); });
    return error ? error->what() : "";
  }

  void expect_same_for_any_number(const TrainOptions& options, const std::string& what) {
    const std::string one = trained(options);
    for (const int P : {2, 3, 5, 8}) EXPECT_EQ(trained_by(P, options), one) << what << ", " << P << " ranks";
  }
};

TEST_F(RanksTrain, AnyNumberOfRanksMakesTheSameFile) {
  TrainOptions options = replicated();
  options.network.layers = 2;
  options.regularization = {
      .words = 0.1, .input = 0.2, .between = 0.1, .output = 0.2, .recurrent = 0.3, .locked = true, .ar = 1, .tar = 1};
  options.run.average = Average::kEma;
  expect_same_for_any_number(options, "LSTM with every regularisation");
}

TEST_F(RanksTrain, TheSameForRowsOfALargeVocabulary) {
  TrainOptions options = replicated();
  options.tokenizer.kind = TokenizerKind::kWord;
  expect_same_for_any_number(options, "words");
  options.network.softmax = Softmax::kSampled;
  options.network.samples = 4;
  expect_same_for_any_number(options, "sampled softmax");
  options.network.tied = true;
  options.run.optimizer = Optimizer::kSgd;
  options.run.momentum = 0.5;
  expect_same_for_any_number(options, "tied, SGD with momentum");
  options.network.softmax = Softmax::kAdaptive;
  options.network.samples = 0;
  options.network.tied = false;
  options.network.cutoffs = {5};
  expect_same_for_any_number(options, "adaptive softmax");
}

TEST_F(RanksTrain, TheSameForTensorsOfSeveralTiles) {
  TrainOptions options = replicated();
  options.network.hidden = 96;
  options.run.steps = 4;
  expect_same_for_any_number(options, "many tiles");
}

TEST_F(RanksTrain, TheSameForEveryTask) {
  for (const TaskKind kind : {TaskKind::kClassify, TaskKind::kTag, TaskKind::kRegress}) {
    TrainOptions options = small_dense(kind);
    options.run.batch_size = 12;  // of 81 texts: the last window has too few for 8 replicas
    options.run.replicas = 8;
    options.run.steps = 25;
    options.files.overwrite = true;
    expect_same_for_any_number(options, std::string(task_name(kind)));
  }
}

TEST_F(RanksTrain, ResumedByAnotherNumberIsNeverInterrupted) {
  TrainOptions options = replicated();
  options.run.average = Average::kEma;
  options.text.state = StatePolicy::kCarry;
  const std::string whole = trained(options);
  options.files.save = folder_.path("parts");
  trained_by(1, options, 5);
  options.files.overwrite = false;
  options.files.resume = true;
  trained_by(3, options, 4);
  EXPECT_NE(bytes_of(options.files.save), whole);
  EXPECT_EQ(trained_by(2, options), whole);
}

TEST_F(RanksTrain, ReplicasAreAnOptionOfTheRun) {
  TrainOptions options = replicated();
  trained_by(2, options, 5);
  options.files.overwrite = false;
  options.files.resume = true;
  options.run.replicas = 4;
  EXPECT_NE(message_of(options).find("`run.replicas` is 4 now and was 8 when the run began"), std::string::npos);
  options.run.replicas = 3;
  EXPECT_EQ(message_of(options), "`run.replicas` is 3: expected a power of two");
}

TEST_F(RanksTrain, MoreRanksThanReplicasAreRefused) {
  TrainOptions options = replicated();
  options.run.replicas = 2;
  const std::vector<std::string> errors = run_ranks(3, [&](Ranks& ranks) { train_together(options, {}, ranks); });
  for (const std::string& error : errors) {
    EXPECT_NE(error.find("3 processes train together, and `run.replicas` is 2"), std::string::npos) << error;
  }
}

TEST_F(RanksTrain, RanksThatWouldMakeAnotherRunAreNamed) {
  const TrainOptions same = replicated();
  const std::vector<std::string> errors = run_ranks(3, [&](Ranks& ranks) {
    TrainOptions options = same;
    if (ranks.rank() == 2) options.run.lr = 0.5;
    if (ranks.rank() == 2) options.run.seed = 7;
    train_together(options, {}, ranks);
  });
  for (const std::string& error : errors) {
    EXPECT_NE(error.find("rank 2 on thread2 is about to make another run than rank 0"), std::string::npos) << error;
    EXPECT_NE(error.find("`run.lr` is \"0.5\", and \"0.004\" on rank 0"), std::string::npos) << error;
  }
}

// They decide no bit of the result, but when ranks meet.
TEST_F(RanksTrain, SavesAtOtherStepsAreNamed) {
  const TrainOptions same = replicated();
  const std::vector<std::string> errors = run_ranks(2, [&](Ranks& ranks) {
    TrainOptions options = same;
    if (ranks.rank() == 1) options.files.save_every = 3;
    train_together(options, {}, ranks);
  });
  for (const std::string& error : errors) {
    EXPECT_NE(error.find("`files.save_every` is \"3\", and \"7\" on rank 0"), std::string::npos) << error;
  }
}

TEST_F(RanksTrain, ATextThatOneRankLacksIsNamed) {
  const TrainOptions same = replicated();
  const std::vector<std::string> errors = run_ranks(2, [&](Ranks& ranks) {
    TrainOptions options = same;
    if (ranks.rank() == 1) options.text.paths = {folder_.path("missing")};
    train_together(options, {}, ranks);
  });
  for (const std::string& error : errors) EXPECT_EQ(error.find("rank 1 on thread1: "), 0U) << error;
}

TEST_F(RanksTrain, EachRankSendsWhatIsDerived) {
  TrainOptions options = replicated();
  options.network.tied = true;  // no rows, whose number depends on the text
  options.network.hidden = 96;
  options.run.steps = 3;
  for (const int P : {2, 3, 4, 8}) {
    run_ranks(P, [&](Ranks& ranks) {
      train_together(options,
                     {.on_plan =
                          [&](const TrainPlan& plan) {
                            const Gradients gradients(plan.config, 1);
                            const std::int64_t floats = std::ssize(gradients.dense());
                            EXPECT_EQ(plan.sent_bytes_per_step, derived_bytes(floats, 8, P, ranks.rank())) << P;
                          }},
                     ranks);
    });
  }
}

// The gradient of several replicas is that of one but for rounding, with the same units dropped.
TEST_F(RanksTrain, ReplicasComputeTheGradientOfTheWholeWindow) {
  TrainOptions asked = replicated();
  asked.run.batch_size = 8;
  asked.run.precision = Precision::kF32;
  asked.regularization = {
      .words = 0.1, .input = 0.2, .output = 0.2, .recurrent = 0.3, .locked = true, .ar = 1, .tar = 1};
  const auto gradient_of = [&](std::int64_t R) {
    TrainOptions options = asked;
    options.run.replicas = R;
    options = resolve(options);
    const TrainingText text = read_training_text(options, nullptr);
    const RunPlan plan = plan_run({options, text}, {});
    Workers workers(2);
    Parameters parameters(plan.config);
    set_initial_weights(plan.config, plan.initial, parameters);
    const NoiseKey noise{.seed = 3, .step = 5};
    NetworkWeights weights(plan.config, Purpose::kTraining, plan.precision, plan.regularization.recurrent);
    weights.pack(parameters, workers, noise);
    Replicas replicas(plan, text, workers, one_rank());
    const StepLoss loss = replicas.run(0, 0, weights, noise);
    Parameters all(plan.config);
    replicas.gradients().copy_to(all);
    std::vector<double> values(all.all().begin(), all.all().end());
    values.push_back(loss.nats);
    return values;
  };
  const std::vector<double> one = gradient_of(1);
  const std::vector<double> eight = gradient_of(8);
  ASSERT_EQ(one.size(), eight.size());
  double largest = 0;
  for (const double value : one) largest = std::max(largest, std::abs(value));
  int differing = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_NEAR(one[i], eight[i], 1e-5 * largest) << i;
    differing += one[i] != eight[i] ? 1 : 0;
  }
  EXPECT_GT(differing, 10) << "the replicas were not apart";
}

}  // namespace
}  // namespace unroll
