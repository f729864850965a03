// Runs on sequences of numbers: what they learn, and that they give the same bytes however they are run.
#include <gtest/gtest.h>

#include "support/dense_run.h"
#include "support/error_of.h"
#include "train/dense_text.h"
#include "unroll/model.h"

namespace unroll {
namespace {

class DenseTrain : public DenseRun {};

constexpr TaskKind kDenseTasks[] = {TaskKind::kClassify, TaskKind::kTag, TaskKind::kRegress};

TEST_F(DenseTrain, ARunThatIsKilledAndResumedGivesTheSameBytes) {
  for (const TaskKind kind : kDenseTasks) {
    const TrainOptions options = small_dense(kind);
    TrainOptions whole = options;
    whole.files.overwrite = true;
    EXPECT_EQ(trained(whole), trained_in_parts(options)) << task_name(kind);
  }
}

TEST_F(DenseTrain, AnyNumberOfThreadsGivesTheSameBytes) {
  for (const TaskKind kind : kDenseTasks) {
    TrainOptions options = small_dense(kind);
    options.files.overwrite = true;
    const std::string one = trained(options);
    options.run.threads = 3;
    EXPECT_EQ(trained(options), one) << task_name(kind);
  }
}

TEST_F(DenseTrain, TheModelSaysHowItsNumbersAreScaledAndCalled) {
  TrainOptions options = small_dense(TaskKind::kRegress);
  options.run.steps = 1;
  train(options);
  const Model model = Model::load(options.files.save);
  const Task& task = model.task();
  EXPECT_EQ(task.kind, TaskKind::kRegress);
  EXPECT_EQ(task.labels, std::vector<std::string>{"sum"});
  EXPECT_EQ(task.inputs, (std::vector<std::string>{"u", "v"}));
  EXPECT_EQ(task.targets, std::vector<std::string>{"sum"});
  ASSERT_EQ(task.input_shift.size(), 2U);
  EXPECT_NEAR(task.input_shift[1], 1002.5, 1.5);
  EXPECT_GT(task.output_factor[0], 50);
  EXPECT_EQ(model.config().vocabulary, 0);
  EXPECT_EQ(model.config().embed, 2);
  EXPECT_EQ(model.config().loss, Loss::kSquared);
  EXPECT_FALSE(model.config().bidirectional);
}

TEST_F(DenseTrain, ScalesAreThoseOfThePartThatIsTrainedOn) {
  TrainOptions options = small_dense(TaskKind::kRegress);
  write_bytes(folder_.path("train.csv"), "id,u,sum\na,1,0\na,3,0\nb,1,2\nb,3,2\n");
  write_bytes(folder_.path("valid.csv"), "id,u,sum\na,1001,2\n");
  options.text.paths = {folder_.path("train.csv")};
  options.text.valid = folder_.path("valid.csv");
  options.task.dense.columns = {};
  const TrainingText text = read_dense_text(options);
  EXPECT_EQ(text.task->train.numbers, (std::vector<float>{-1, 1, -1, 1}));
  EXPECT_EQ(text.task->train.wanted, (std::vector<float>{-1, 1}));
  EXPECT_EQ(text.task->valid.numbers, std::vector<float>{999});
  EXPECT_EQ(text.task->valid.wanted, std::vector<float>{1});
}

TEST_F(DenseTrain, WhatDoesNotGoTogetherIsRefused) {
  const auto field_of = [&](TrainOptions options) {
    const auto error = error_of([&] { train(options); });
    return error && error->code() == ErrorCode::kUsage ? error->field() : "";
  };
  TrainOptions options = small_dense(TaskKind::kRegress);
  options.task.input = InputKind::kText;
  EXPECT_EQ(field_of(options), "task.input");
  options = small_dense(TaskKind::kRegress);
  options.task.kind = TaskKind::kConditional;
  EXPECT_EQ(field_of(options), "task.input");
  options = small_dense(TaskKind::kClassify);
  options.regularization.words = 0.1;
  EXPECT_EQ(field_of(options), "regularization.words");
  options = small_dense(TaskKind::kClassify, "model", true);
  EXPECT_EQ(field_of(options), "target_per_step");
  options = small_dense(TaskKind::kRegress);
  options.task.readout = Readout::kSteps;
  EXPECT_EQ(field_of(options), "task.readout");
  options = small_dense(TaskKind::kClassify);
  options.task.dense.target_columns = {};
  EXPECT_EQ(field_of(options), "target_columns");
}

TEST_F(DenseTrain, SequencesToValidateOnMustBeLikeThoseToTrainOn) {
  TrainOptions options = small_dense(TaskKind::kClassify);
  options.text.valid = folder_.path("valid.csv");
  write_bytes(options.text.valid, "id,u,v,wave\n1,2,3,c\n");
  EXPECT_TRUE(
      fails_with(ErrorCode::kInput, "the label \"c\" does not occur in those to train on", [&] { train(options); }));
  options.task.dense.columns = {};
  write_bytes(folder_.path("steps.csv"), "id,u,v,wave\n1,2,3,a\n2,3,4,b\n");
  write_bytes(options.text.valid, "id,v,u,wave\n1,2,3,a\n");
  EXPECT_TRUE(
      fails_with(ErrorCode::kInput, "their input columns have other names, or another order", [&] { train(options); }));
}

}  // namespace
}  // namespace unroll
