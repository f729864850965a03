#include "unroll/train.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "error_of.h"
#include "model/tensor_file.h"
#include "temporary_folder.h"
#include "tiny_model.h"
#include "unroll/evaluate.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

std::string some_text(int lines = 120) {
  const std::vector<std::string> words{"the", "a", "cat", "dog", "sees", "hears", "old", "small", "and", "house"};
  std::string text;
  for (int line = 0; line < lines; ++line) {
    const auto picks = random_words(1, 0, RandomPurpose::kTestPoint, 2, 0, static_cast<std::uint32_t>(line));
    for (const std::uint32_t pick : picks) text += words[pick % words.size()] + (pick % 3 == 0 ? ", " : " ");
    text.back() = '\n';
  }
  return text;
}

class Train : public testing::Test {
 protected:
  TrainOptions small(const std::string& name = "model") {
    if (!text_written_) write_bytes(folder_.path("text"), some_text());
    text_written_ = true;
    TrainOptions options;
    options.texts = {folder_.path("text")};
    options.save = folder_.path(name);
    options.hidden = 12;
    options.batch_size = 5;
    options.bptt = 9;
    options.steps = 40;
    options.save_every = 7;
    options.threads = 1;
    return options;
  }

  // The bytes of the model that these options make.
  std::string trained(const TrainOptions& options, const TrainObserver& observer = {}) {
    train(options, observer);
    return bytes_of(options.save);
  }

  TemporaryFolder folder_;
  bool text_written_ = false;
};

TEST_F(Train, SameBitsForAnyNumberOfThreads) {
  for (const Cell cell : kAllCells) {
    TrainOptions options = small("m1");
    options.cell = cell;
    options.layers = 2;
    options.dropout = 0.2;
    options.overwrite = true;
    const std::string one = trained(options);
    for (const int threads : {2, 3}) {
      options.threads = threads;
      EXPECT_EQ(trained(options), one) << cell_name(cell) << " " << threads;
    }
  }
}

TEST_F(Train, InterruptedAndResumedIsNeverInterrupted) {
  for (const Schedule schedule : {Schedule::kCosine, Schedule::kPlateau}) {
    for (const Optimizer optimizer : {Optimizer::kAdam, Optimizer::kSgd}) {
      TrainOptions options = small("whole");
      options.schedule = schedule;
      options.optimizer = optimizer;
      options.state = optimizer == Optimizer::kSgd ? StatePolicy::kReset : StatePolicy::kCarry;
      options.dropout = 0.1;
      options.overwrite = true;
      const std::string whole = trained(options);
      options.save = folder_.path("parts");
      // Stops after every third step, each time in a new call.
      int calls = 0;
      TrainResult result;
      do {
        options.overwrite = calls == 0;
        options.resume = calls > 0;
        int steps = 0;
        result = train(options,
                       {.on_step = [&](const StepReport&) { ++steps; }, .stop_requested = [&] { return steps == 3; }});
        ++calls;
      } while (result.interrupted && calls < 100);
      EXPECT_GT(calls, 10);
      EXPECT_EQ(bytes_of(options.save), whole);
      EXPECT_FALSE(std::filesystem::exists(options.save + ".resume"));
    }
  }
}

TEST_F(Train, AFinishedRunIsAlreadyComplete) {
  TrainOptions options = small();
  const std::string whole = trained(options);
  options.resume = true;
  const TrainResult result = train(options);
  EXPECT_TRUE(result.already_complete);
  EXPECT_EQ(result.steps, 40);
  EXPECT_TRUE(result.best_valid_nats_per_token.has_value());
  EXPECT_EQ(bytes_of(options.save), whole);
}

TEST_F(Train, ResumeNamesTheOptionThatDiffers) {
  TrainOptions options = small();
  trained(options);
  options.resume = true;
  TrainOptions other = options;
  other.lr = 0.5;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "--lr", [&] { train(other); }));
  other = options;
  other.hidden = 13;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "--hidden", [&] { train(other); }));
  other = options;
  other.steps = 41;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "--steps", [&] { train(other); }));
  other = options;
  write_bytes(folder_.path("text"), some_text() + "one more line\n");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "the text", [&] { train(other); }));
}

TEST_F(Train, AnExistingModelIsNotReplacedUnasked) {
  TrainOptions options = small();
  const std::string whole = trained(options);
  options.seed = 2;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "--overwrite", [&] { train(options); }));
  EXPECT_EQ(bytes_of(options.save), whole);
  options.overwrite = true;
  EXPECT_NE(trained(options), whole);
}

TEST_F(Train, ResumingNothingBeginsAndSaysSo) {
  TrainOptions options = small();
  options.resume = true;
  std::string notes;
  train(options, {.on_note = [&](std::string_view note) { notes += note; }});
  EXPECT_NE(notes.find("starting from the beginning"), std::string::npos) << notes;
}

TEST_F(Train, StepsRepeatARunOfMinutes) {
  TrainOptions options = small("timed");
  options.steps.reset();
  options.minutes = 0.01;
  options.save_every = 0;
  std::int64_t steps = 0;
  const std::string timed = trained(options, {.on_plan = [&](const TrainPlan& plan) { steps = plan.steps; }});
  EXPECT_GT(steps, 0);
  options = small("counted");
  options.steps = steps;
  EXPECT_EQ(trained(options), timed);
}

TEST_F(Train, ValidationReportsWhatEvaluateReports) {
  TrainOptions options = small();
  const std::string text = some_text();
  const std::string valid = some_text(150).substr(text.size());
  write_bytes(folder_.path("valid"), valid);
  options.valid = folder_.path("valid");
  for (const StatePolicy state : {StatePolicy::kCarry, StatePolicy::kReset}) {
    options.state = state;
    options.overwrite = true;
    const TrainResult result = train(options);
    const Evaluation evaluation = evaluate(Model::load(options.save), valid, "valid", {.state = {}});
    ASSERT_TRUE(result.best_valid_nats_per_token.has_value());
    EXPECT_EQ(evaluation.nats_per_token, *result.best_valid_nats_per_token);
    EXPECT_EQ(evaluation.state, state);
  }
}

TEST_F(Train, AThreeSentenceCorpusIsMemorised) {
  write_bytes(folder_.path("three"), "the cat sat on the mat\na dog ran home\nwho let the owls out ?\n");
  for (const Cell cell : kAllCells) {
    TrainOptions options = small("three-model");
    options.texts = {folder_.path("three")};
    options.cell = cell;
    options.hidden = 32;
    options.valid_split = 0;
    options.batch_size = 1;
    options.bptt = 70;
    options.state = StatePolicy::kReset;
    options.lr = 0.02;
    options.steps = 300;
    options.overwrite = true;
    train(options);
    Scorer scorer(Model::load(options.save));
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
  second.from = options.save;
  second.lr = 1e-9;
  second.steps = 1;
  const TrainResult result = train(second);
  const TrainResult before = train([&] {
    TrainOptions again = options;
    again.resume = true;
    return again;
  }());
  EXPECT_NEAR(*result.best_valid_nats_per_token, *before.best_valid_nats_per_token, 1e-5);
}

TEST_F(Train, ABatchTooLargeForTheTextShrinksAndSaysSo) {
  write_bytes(folder_.path("short"), "abcabcab");
  TrainOptions options = small();
  options.texts = {folder_.path("short")};
  options.valid_split = 0;
  std::string notes;
  train(options, {.on_note = [&](std::string_view note) { notes += note; }});
  EXPECT_NE(notes.find("batch size 5 -> 4"), std::string::npos) << notes;
}

TEST_F(Train, RefusesTextsThatTeachNothing) {
  TrainOptions options = small();
  for (const std::string text : {"", "a", "aaaaaaaa", "\n\n\n"}) {
    write_bytes(folder_.path("bad"), text);
    options.texts = {folder_.path("bad")};
    EXPECT_TRUE(fails_with(ErrorCode::kInput, "", [&] { train(options); })) << text;
    EXPECT_FALSE(std::filesystem::exists(options.save));
  }
}

TEST_F(Train, MoreMemoryThanTheMachineHasIsRefusedBeforeItIsTaken) {
  TrainOptions options = small();
  options.hidden = 1 << 20;
  EXPECT_TRUE(error_of([&] { train(options); }).has_value());
  options = small();
  options.hidden = 120000;
  EXPECT_TRUE(fails_with(ErrorCode::kMemory, "GB", [&] { train(options); }));
}

TEST_F(Train, NotANumberStopsTheRunAndNamesStepAndTensor) {
  TrainOptions options = small();
  train(options);
  const std::string good = bytes_of(options.save);
  options.overwrite = true;
  options.optimizer = Optimizer::kSgd;
  options.cell = Cell::kRnnRelu;
  options.lr = 1e30;
  options.clip = 0;
  options.save_every = 1000;
  const std::optional<Error> error = error_of([&] { train(options); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kNumeric) << error->what();
  EXPECT_NE(std::string(error->what()).find("step "), std::string::npos) << error->what();
  EXPECT_EQ(bytes_of(options.save), good) << "the last good model stays";
}

TEST_F(Train, LossGoesDownWithEveryCellOptimizerAndTokenizer) {
  for (const Cell cell : kAllCells) {
    for (const Optimizer optimizer : {Optimizer::kSgd, Optimizer::kAdam}) {
      TrainOptions options = small("learns");
      options.tokenizer.kind = optimizer == Optimizer::kSgd ? TokenizerKind::kWord : TokenizerKind::kByte;
      options.cell = cell;
      options.optimizer = optimizer;
      options.lr = optimizer == Optimizer::kSgd ? 2 : 0.01;
      options.steps = 150;
      options.overwrite = true;
      double uniform = 0;
      const TrainResult result =
          train(options, {.on_plan = [&](const TrainPlan& plan) { uniform = plan.uniform_nats; }});
      EXPECT_LT(*result.best_valid_nats_per_token, 0.9 * uniform)
          << cell_name(cell) << " " << optimizer_name(optimizer);
    }
  }
}

TEST_F(Train, IdentityStartIsForReluOnly) {
  TrainOptions options = small();
  options.init = Init::kIdentity;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "rnn-relu", [&] { train(options); }));
  options.cell = Cell::kRnnRelu;
  EXPECT_NO_THROW(train(options));
}

}  // namespace
}  // namespace unroll
