#include "unroll/label/predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/dense_run.h"
#include "support/error_of.h"
#include "unroll/exchange/convert.h"

namespace unroll {
namespace {

using testing::ElementsAre;

class PredictorOfRuns : public DenseRun {
 protected:
  Model model_of(TaskKind kind, int steps, bool per_step = false) {
    TrainOptions options = small_dense(kind, "model", per_step);
    options.files.overwrite = true;
    options.run.steps = steps;
    options.network.hidden = 16;
    options.run.lr = 0.02;
    train(options);
    return Model::load(options.files.save);
  }

  // The sequences of a model's training, with targets.
  DenseData data_of(const Predictor& predictor) {
    DenseOptions reading = predictor.reading({.paths = {folder_.path("steps.csv")}, .sequence_column = "id"});
    return read_dense(reading);
  }

  // A table with these sequences alone.
  DenseData alone(const Predictor& predictor, const std::string& rows) {
    write_bytes(folder_.path("alone.csv"), "id,u,v\n" + rows);
    return read_dense(predictor.reading({.paths = {folder_.path("alone.csv")}, .sequence_column = "id"}));
  }
};

TEST_F(PredictorOfRuns, NumbersOfSequencesAreLearned) {
  Predictor predictor(model_of(TaskKind::kRegress, 250), 1);
  const DenseData data = data_of(predictor);
  const Predictions answers = predictor.predict(data);
  EXPECT_THAT(answers.names, ElementsAre("sum"));
  EXPECT_EQ(answers.answers(), data.sequences());
  const std::vector<Regression> figures = judge_predictions(answers, data);
  ASSERT_TRUE(figures.front().r_squared.has_value());
  EXPECT_GT(*figures.front().r_squared, 0.9);
}

TEST_F(PredictorOfRuns, NumbersOfStepsAreLearned) {
  Predictor predictor(model_of(TaskKind::kRegress, 250, true), 1);
  const DenseData data = data_of(predictor);
  const Predictions answers = predictor.predict(data);
  EXPECT_TRUE(answers.per_step);
  EXPECT_EQ(answers.answers(), static_cast<std::size_t>(data.steps()));
  // A first step does not tell what comes next.
  EXPECT_GT(judge_predictions(answers, data).front().r_squared.value_or(0), 0.5);
}

TEST_F(PredictorOfRuns, LabelsHaveProbabilitiesThatAddToOne) {
  for (const TaskKind kind : {TaskKind::kClassify, TaskKind::kTag}) {
    Predictor predictor(model_of(kind, 150), 1);
    const DenseData data = data_of(predictor);
    const Predictions answers = predictor.predict(data);
    const std::vector<std::int32_t> right = right_labels(answers, data);
    ASSERT_EQ(right.size(), answers.answers());
    std::size_t hits = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
      double sum = 0;
      for (const double p : answers.answer(i)) sum += p;
      EXPECT_NEAR(sum, 1, 1e-12);
      if (right[i] == answers.label_of[i]) ++hits;
    }
    EXPECT_GT(static_cast<double>(hits), 0.85 * static_cast<double>(right.size())) << task_name(kind);
  }
}

TEST_F(PredictorOfRuns, ASequenceDoesNotDependOnOthersNorOnThreads) {
  for (const bool per_step : {false, true}) {
    const Model model = model_of(TaskKind::kRegress, 3, per_step);
    Predictor predictor(model, 1);
    const DenseData three = alone(predictor, "1,0.5,1001\n1,0.25,1002\n2,-1,1000\n3,1,1\n3,2,2\n3,3,3\n");
    const DenseData one = alone(predictor, "1,0.5,1001\n1,0.25,1002\n");
    const Predictions together = predictor.predict(three);
    const Predictions apart = predictor.predict(one);
    for (std::size_t i = 0; i < apart.answers(); ++i) EXPECT_EQ(apart.values[i], together.values[i]);
    EXPECT_EQ(Predictor(model, 3).predict(three).values, together.values);
  }
}

TEST_F(PredictorOfRuns, ColumnsAreFoundByTheirNamesAndTargetsAreNoInputs) {
  Predictor predictor(model_of(TaskKind::kRegress, 3), 1);
  write_bytes(folder_.path("other.csv"), "sum,v,id,note,u\n?,1001,1,x,0.5\n");
  DenseOptions reading = predictor.reading({.paths = {folder_.path("other.csv")}, .sequence_column = "id"});
  reading.target = DenseTarget::kNone;
  EXPECT_EQ(predictor.predict(read_dense(reading)).values, predictor.predict(alone(predictor, "1,0.5,1001\n")).values);
}

TEST_F(PredictorOfRuns, RoundedModelsAnswerNearly) {
  const Model model = model_of(TaskKind::kRegress, 100);
  Predictor exact(model, 1);
  const DenseData data = data_of(exact);
  const double mse = judge_predictions(exact.predict(data), data).front().mse;
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    const std::string path = folder_.path(std::string(precision_name(precision)));
    static_cast<void>(convert(model, precision, path));
    Predictor rounded(Model::load(path), 1);
    EXPECT_LT(judge_predictions(rounded.predict(data), data).front().mse, 1.5 * mse + 10) << precision_name(precision);
  }
}

TEST_F(PredictorOfRuns, WhatAModelCannotReadIsRefused) {
  Predictor predictor(model_of(TaskKind::kClassify, 2), 1);
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "1 numbers per step: the model reads 2", [&] {
    write_bytes(folder_.path("rows.csv"), "1,2,3\n");
    static_cast<void>(predictor.predict(read_dense({.paths = {folder_.path("rows.csv")}})));
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "no labels to compare answers with", [&] {
    const DenseData data = alone(predictor, "1,2,3\n");
    static_cast<void>(right_labels(predictor.predict(data), data));
  }));
  TrainOptions text = small("text-model");
  text.run.steps = 1;
  train(text);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "expected a model of sequences of numbers",
                         [&] { Predictor(Model::load(text.files.save), 1); }));
}

TEST_F(PredictorOfRuns, LabelsThatTheModelDoesNotKnowAreToldApart) {
  Predictor predictor(model_of(TaskKind::kClassify, 2), 1);
  write_bytes(folder_.path("new.csv"), "id,u,v,wave\n1,2,3,c\n2,2,3,b\n");
  const DenseData data = read_dense(predictor.reading({.paths = {folder_.path("new.csv")}, .sequence_column = "id"}));
  EXPECT_THAT(right_labels(predictor.predict(data), data), ElementsAre(-1, 1));
}

}  // namespace
}  // namespace unroll
