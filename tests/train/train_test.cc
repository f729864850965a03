#include "unroll/train.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "kernels/processor.h"
#include "model/tensor_file.h"
#include "support/error_of.h"
#include "support/small_run.h"
#include "support/tiny_model.h"
#include "train/options.h"
#include "unroll/evaluate.h"
#include "unroll/exchange/convert.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

class Train : public SmallRun {};

TrainResult stopped_after_one_step(const TrainOptions& options) {
  bool stepped = false;
  return train(options,
               {.on_step = [&](const StepReport&) { stepped = true; }, .stop_requested = [&] { return stepped; }});
}

TEST_F(Train, SameBitsForAnyNumberOfThreads) {
  for (const Cell cell : all_cells()) {
    TrainOptions options = small("m1");
    options.network.cell = cell;
    options.network.layers = 2;
    options.network.tied = true;
    options.regularization = {.words = 0.1, .input = 0.2, .output = 0.2, .locked = true, .tar = 1};
    if (has_recurrent_weights(cell)) options.regularization.recurrent = 0.3;
    options.files.overwrite = true;
    const std::string one = trained(options);
    for (const int threads : {2, 3}) {
      options.run.threads = threads;
      EXPECT_EQ(trained(options), one) << cell_name(cell) << " " << threads;
    }
  }
}

TEST_F(Train, SameBitsForAnyNumberOfThreadsInEveryPrecision) {
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    TrainOptions options = small("m1");
    options.run.precision = precision;
    options.files.overwrite = true;
    const std::string one = trained(options);
    options.run.threads = 3;
    EXPECT_EQ(trained(options), one) << precision_name(precision);
  }
}

TEST_F(Train, InterruptedAndResumedIsNeverInterrupted) {
  for (const Schedule schedule : {Schedule::kCosine, Schedule::kLinear, Schedule::kPlateau}) {
    for (const Optimizer optimizer : {Optimizer::kAdam, Optimizer::kSgd}) {
      TrainOptions options = small("whole");
      options.run.schedule = schedule;
      options.run.optimizer = optimizer;
      options.text.state = optimizer == Optimizer::kSgd ? StatePolicy::kReset : StatePolicy::kCarry;
      options.network.residual = true;
      options.network.layers = 2;
      options.regularization = {.words = 0.1, .input = 0.1, .between = 0.2, .recurrent = 0.3, .locked = true, .ar = 1};
      options.files.overwrite = true;
      const std::string whole = trained(options);
      EXPECT_EQ(trained_in_parts(options), whole);
    }
  }
}

TEST_F(Train, AFinishedRunIsAlreadyComplete) {
  TrainOptions options = small();
  const std::string whole = trained(options);
  options.files.resume = true;
  const TrainResult result = train(options);
  EXPECT_TRUE(result.already_complete);
  EXPECT_EQ(result.steps, 40);
  EXPECT_TRUE(result.best_valid_nats_per_token.has_value());
  EXPECT_EQ(bytes_of(options.files.save), whole);
}

TEST_F(Train, ResumeNamesTheOptionThatDiffers) {
  TrainOptions options = small();
  trained(options);
  options.files.resume = true;
  TrainOptions other = options;
  other.run.lr = 0.5;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.lr`", [&] { train(other); }));
  other = options;
  other.network.hidden = 13;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`network.hidden`", [&] { train(other); }));
  other = options;
  other.run.steps = 41;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.steps`", [&] { train(other); }));
  other = options;
  write_bytes(folder_.path("text"), some_text() + "one more line\n");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "the text", [&] { train(other); }));
}

TEST_F(Train, AnExistingModelIsNotReplacedUnasked) {
  TrainOptions options = small();
  const std::string whole = trained(options);
  options.run.seed = 2;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`files.overwrite`", [&] { train(options); }));
  EXPECT_EQ(bytes_of(options.files.save), whole);
  options.files.overwrite = true;
  EXPECT_NE(trained(options), whole);
}

TEST_F(Train, ResumingNothingBeginsAndSaysSo) {
  TrainOptions options = small();
  options.files.resume = true;
  std::string notes;
  train(options, {.on_note = [&](std::string_view note) { notes += note; }});
  EXPECT_NE(notes.find("starting from the beginning"), std::string::npos) << notes;
}

TEST_F(Train, StepsRepeatARunOfMinutes) {
  TrainOptions options = small("timed");
  options.run.steps.reset();
  options.run.minutes = 0.01;
  options.files.save_every = 0;
  TrainPlan plan;
  const std::string timed = trained(options, {.on_plan = [&](const TrainPlan& made) { plan = made; }});
  EXPECT_GT(plan.steps, 0);
  options = small("counted");
  options.run.steps = plan.steps;
  options.run.validate_every = plan.validate_every;
  EXPECT_TRUE(trained(options) == timed);
}

TEST_F(Train, ValidationReportsWhatEvaluateReports) {
  TrainOptions options = small();
  const std::string text = some_text();
  const std::string valid = some_text(150).substr(text.size());
  write_bytes(folder_.path("valid"), valid);
  options.text.valid = folder_.path("valid");
  for (const StatePolicy state : {StatePolicy::kCarry, StatePolicy::kReset}) {
    options.text.state = state;
    options.files.overwrite = true;
    const TrainResult result = train(options);
    const Evaluation evaluation = evaluate(Model::load(options.files.save), {valid, "valid"}, {.state = {}});
    ASSERT_TRUE(result.best_valid_nats_per_token.has_value());
    EXPECT_EQ(evaluation.nats_per_token, *result.best_valid_nats_per_token);
    EXPECT_EQ(evaluation.state, state);
  }
}

TEST_F(Train, ValidationIsThatOfTheSavedModelInEveryPrecision) {
  TrainOptions options = small();
  const std::string text = some_text();
  const std::string valid = some_text(150).substr(text.size());
  write_bytes(folder_.path("valid"), valid);
  options.text.valid = folder_.path("valid");
  options.files.overwrite = true;
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    options.run.precision = precision;
    const TrainResult result = train(options);
    const Model model = Model::load(options.files.save);
    EXPECT_EQ(model.precision(), Precision::kF32);
    ASSERT_TRUE(result.best_valid_nats_per_token.has_value());
    EXPECT_EQ(evaluate(model, {valid, "valid"}, {.state = {}}).nats_per_token, *result.best_valid_nats_per_token);
  }
}

TEST_F(Train, SaysWhichPrecisionItTookAndWhy) {
  TrainOptions options = small();
  options.files.overwrite = true;
  TrainPlan plan;
  const TrainObserver observer{.on_plan = [&](const TrainPlan& given) { plan = given; }};
  const auto recorded = [&] {
    const Model model = Model::load(options.files.save);  // lives as long as the loop
    for (const auto& [name, value] : model.training().options) {
      if (name == "precision") return value;
    }
    return std::string();
  };
  train(options, observer);
  EXPECT_EQ(plan.precision, has_bf16_products() ? Precision::kBf16 : Precision::kF32);
  EXPECT_NE(plan.precision_reason.find("this processor"), std::string::npos);
  EXPECT_EQ(recorded(), precision_name(plan.precision));
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    options.run.precision = precision;
    train(options, observer);
    EXPECT_EQ(plan.precision, precision);
    EXPECT_EQ(plan.precision_reason, "");
    EXPECT_EQ(recorded(), precision_name(precision));
  }
  options.run.precision = Precision::kInt8;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.precision` is int8", [&] { train(options); }));
}

TEST_F(Train, AResumedRunKeepsItsPrecisionUnlessToldOtherwise) {
  for (const Precision precision : {Precision::kF32, Precision::kBf16}) {
    TrainOptions options = small("whole");
    options.run.precision = precision;
    options.files.overwrite = true;
    const std::string whole = trained(options);
    options.files.save = folder_.path("parts");
    EXPECT_TRUE(stopped_after_one_step(options).interrupted);
    options.files.overwrite = false;
    options.files.resume = true;
    options.run.precision = precision == Precision::kF32 ? Precision::kBf16 : Precision::kF32;
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.precision`", [&] { train(options); }));
    options.run.precision.reset();  // whatever this processor would choose for a new run
    EXPECT_EQ(trained(options), whole);
    EXPECT_TRUE(train(options).already_complete);
    options.run.precision = precision == Precision::kF32 ? Precision::kBf16 : Precision::kF32;
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.precision`", [&] { train(options); }));
  }
}

TEST_F(Train, ARunThatIsStoppedAtOnceTellsItsLoss) {
  TrainOptions options = small();
  options.run.steps = 1000;  // ten steps for each point of the history
  const TrainResult result = stopped_after_one_step(options);
  EXPECT_EQ(result.steps, 1);
  EXPECT_GT(result.nats_per_token, 1.0);
}

TEST_F(Train, ARunSavedBeforeThereWerePrecisionsIsF32) {
  TrainOptions options = small();
  options.run.precision = Precision::kF32;
  const std::string whole = trained(options);
  options.files.overwrite = true;
  stopped_after_one_step(options);
  {
    TensorFile file(options.files.save + ".resume", {"unroll-resume/1"});
    std::map<std::string, std::string> metadata = file.metadata();
    std::string& training = metadata.at("training");
    const std::string field = R"("precision":"f32",)";
    training.erase(training.find(field), field.size());
    std::vector<TensorToWrite> tensors;
    for (const StoredTensor& tensor : file.tensors()) {
      tensors.emplace_back(tensor.name, tensor.shape, file.values<float>(tensor.name, tensor.shape));
    }
    write_tensor_file(options.files.save + ".resume", tensors, metadata);
  }
  options.files.overwrite = false;
  options.files.resume = true;
  options.run.precision = Precision::kBf16;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.precision` is bf16 now and was f32", [&] { train(options); }));
  options.run.precision.reset();
  TrainPlan plan;
  train(options, {.on_plan = [&](const TrainPlan& given) { plan = given; }});
  EXPECT_EQ(plan.precision, Precision::kF32);
  EXPECT_EQ(plan.precision_reason, "as the run began");
  const Model resumed = Model::load(options.files.save);
  Parameters parameters(resumed.config());
  read_parameters(resumed.config(), resumed.data().weights.view(), parameters);
  write_bytes(folder_.path("whole"), whole);
  Parameters expected(resumed.config());
  read_parameters(resumed.config(), Model::load(folder_.path("whole")).data().weights.view(), expected);
  EXPECT_TRUE(std::ranges::equal(parameters.all(), expected.all()));
}

TEST_F(Train, FromARoundedModelStartsAtItsRoundedWeightsAndSaysSo) {
  TrainOptions options = small("first");
  train(options);
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    convert(Model::load(options.files.save), precision, folder_.path("rounded"));
    TrainOptions second = small("second");
    second.files.from = folder_.path("rounded");
    second.files.overwrite = true;
    second.run.optimizer = Optimizer::kSgd;
    second.run.lr = 1e-30;
    second.run.steps = 1;
    std::string notes;
    train(second, {.on_note = [&](std::string_view note) { notes += note; }});
    EXPECT_NE(notes.find(std::string(precision_name(precision)) + ": training starts from its rounded weights"),
              std::string::npos)
        << notes;
    const Model rounded = Model::load(second.files.from);
    const Model trained_on = Model::load(second.files.save);
    EXPECT_EQ(trained_on.precision(), Precision::kF32);
    Parameters before(rounded.config());
    Parameters after(rounded.config());
    read_parameters(rounded.config(), rounded.data().weights.view(), before);
    read_parameters(trained_on.config(), trained_on.data().weights.view(), after);
    const auto same = [](float a, float b) { return std::abs(a - b) < 1e-20F; };
    EXPECT_TRUE(std::ranges::equal(before.all(), after.all(), same));
  }
}

TEST_F(Train, AThreeSentenceCorpusIsMemorised) {
  write_bytes(folder_.path("three"), "the cat sat on the mat\na dog ran home\nwho let the owls out ?\n");
  for (const Cell cell : all_cells()) {
    TrainOptions options = small("three-model");
    options.text.paths = {folder_.path("three")};
    options.network.cell = cell;
    options.network.hidden = 32;
    options.text.valid_split = 0;
    options.run.batch_size = 1;
    options.run.bptt = 70;
    options.text.state = StatePolicy::kReset;
    options.run.lr = 0.02;
    options.run.steps = 300;
    options.files.overwrite = true;
    train(options);
    Scorer scorer(Model::load(options.files.save));
    // Nothing tells the first letter, and "the" comes in two places; the rest must be certain.
    for (const char* line : {"the cat sat on the mat", "a dog ran home", "who let the owls out ?"}) {
      const Score score = scorer.score(line);
      EXPECT_GT(score.log_prob, -2.5) << cell_name(cell) << ": " << line;
    }
  }
}

TEST_F(Train, FromAModelStartsAtItsWeights) {
  TrainOptions options = small("first");
  train(options);
  TrainOptions second = small("second");
  second.files.from = options.files.save;
  second.run.lr = 1e-9;
  second.run.steps = 1;
  const TrainResult result = train(second);
  const TrainResult before = train([&] {
    TrainOptions again = options;
    again.files.resume = true;
    return again;
  }());
  EXPECT_NEAR(*result.best_valid_nats_per_token, *before.best_valid_nats_per_token, 1e-5);
}

TEST_F(Train, ABatchTooLargeForTheTextShrinksAndSaysSo) {
  write_bytes(folder_.path("short"), "abcabcab");
  TrainOptions options = small();
  options.text.paths = {folder_.path("short")};
  options.text.valid_split = 0;
  std::string notes;
  train(options, {.on_note = [&](std::string_view note) { notes += note; }});
  EXPECT_NE(notes.find("batch size 5 -> 4"), std::string::npos) << notes;
}

TEST_F(Train, RefusesTextsThatTeachNothing) {
  TrainOptions options = small();
  for (const std::string text : {"", "a", "aaaaaaaa", "\n\n\n"}) {
    write_bytes(folder_.path("bad"), text);
    options.text.paths = {folder_.path("bad")};
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "", [&] { train(options); })) << text;
    EXPECT_FALSE(std::filesystem::exists(options.files.save));
  }
}

TEST_F(Train, MoreMemoryThanTheMachineHasIsRefusedBeforeItIsTaken) {
  TrainOptions options = small();
  options.network.hidden = 1 << 20;
  EXPECT_TRUE(error_of([&] { train(options); }).has_value());
  options = small();
  options.network.hidden = 120000;
  EXPECT_TRUE(fails_with(ErrorCode::kMemory, "GB", [&] { train(options); }));
}

TEST_F(Train, NotANumberStopsTheRunAndNamesStepAndTensor) {
  TrainOptions options = small();
  train(options);
  const std::string good = bytes_of(options.files.save);
  options.files.overwrite = true;
  options.run.optimizer = Optimizer::kSgd;
  options.network.cell = Cell::kRnnRelu;
  options.run.lr = 1e30;
  options.run.clip = 0;
  options.files.save_every = 1000;
  const std::optional<Error> error = error_of([&] { train(options); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kNumeric) << error->what();
  EXPECT_NE(std::string(error->what()).find("step "), std::string::npos) << error->what();
  EXPECT_EQ(bytes_of(options.files.save), good) << "the last good model stays";
}

TEST_F(Train, LossGoesDownWithEveryCellOptimizerAndTokenizer) {
  for (const Cell cell : all_cells()) {
    for (const Optimizer optimizer : {Optimizer::kSgd, Optimizer::kAdam}) {
      TrainOptions options = small("learns");
      options.tokenizer.kind = optimizer == Optimizer::kSgd ? TokenizerKind::kWord : TokenizerKind::kByte;
      options.network.cell = cell;
      options.run.optimizer = optimizer;
      options.run.lr = optimizer == Optimizer::kSgd ? 2 : 0.01;
      options.run.steps = 150;
      options.files.overwrite = true;
      double uniform = 0;
      const TrainResult result =
          train(options, {.on_plan = [&](const TrainPlan& plan) { uniform = plan.uniform_nats; }});
      // Plain descent is slower where all outputs are above zero, as the minimal cells' are.
      const bool slow = optimizer == Optimizer::kSgd && !has_recurrent_weights(cell);
      EXPECT_LT(*result.best_valid_nats_per_token, (slow ? 0.95 : 0.9) * uniform)
          << cell_name(cell) << " " << optimizer_name(optimizer);
    }
  }
}

TEST_F(Train, IdentityStartIsForReluOnly) {
  TrainOptions options = small();
  options.run.init = Init::kIdentity;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "rnn-relu", [&] { train(options); }));
  options.network.cell = Cell::kRnnRelu;
  EXPECT_NO_THROW(train(options));
}

TEST_F(Train, ChronoStartIsForCellsWithGatesAndIsRecorded) {
  TrainOptions options = small();
  options.run.init = Init::kChrono;
  options.run.chrono_steps = 50;
  train(options);
  const auto recorded = Model::load(options.files.save).training().options;
  EXPECT_EQ(named_value(recorded, "init"), "chrono");
  EXPECT_EQ(named_value(recorded, "chrono-steps"), "50");
  options.network.cell = Cell::kRnnTanh;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "rnn-tanh", [&] { train(options); }));
  options.run.init = Init::kUniform;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`run.chrono_steps` is for `run.init` chrono", [&] { train(options); }));
}

}  // namespace
}  // namespace unroll
