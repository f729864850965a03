// Runs of every task: what they learn, and that they give the same bytes however they are run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/small_run.h"
#include "train/class_weights.h"
#include "train/options.h"
#include "unroll/model.h"
#include "unroll/train.h"

namespace unroll {
namespace {

// Texts whose label says which word they hold, as "__label__pets the cat sees".
std::string labelled_text(int count) {
  const std::vector<std::string> words{"cat", "dog", "house", "old", "small"};
  std::string text;
  for (int i = 0; i < count; ++i) {
    const auto picks = random_words(1, 0, RandomPurpose::kTestPoint, 3, 0, static_cast<std::uint32_t>(i));
    const bool pets = picks[0] % 3 == 0;
    text += pets ? "__label__pets" : "__label__things";
    const std::uint32_t before = picks[1] % 4;
    for (std::uint32_t k = 0; k < before; ++k) text += " " + words[2 + (picks[2] >> 4 * k) % 3];
    text += pets ? (picks[3] % 2 == 0 ? " cat" : " dog") : " house";
    for (std::uint32_t k = 0; k < 3 - before / 2; ++k) text += " " + words[2 + (picks[2] >> (4 * k + 12)) % 3];
    text += "\n";
  }
  return text;
}

// Words with tags: animals are nouns, what stands before them is an adjective.
std::string tagged_text(int count) {
  const std::vector<std::string> nouns{"cat", "dog", "house", "\xC3\xA9t\xC3\xA9"};
  std::string text;
  for (int i = 0; i < count; ++i) {
    const auto picks = random_words(1, 0, RandomPurpose::kTestPoint, 4, 0, static_cast<std::uint32_t>(i));
    for (std::uint32_t k = 0; k < 1 + picks[0] % 3; ++k) {
      text += "old" + std::string(1, static_cast<char>('a' + (picks[1] >> 3 * k) % 7)) + " B-ADJ\n";
      text += nouns[(picks[2] >> 2 * k) % 4] + " B-NOUN\n";
    }
    text += "\n";
  }
  return text;
}

class TaskTrain : public SmallRun {
 protected:
  TrainOptions small_task(TaskKind kind, const std::string& name = "model") {
    TrainOptions options = default_options(kind);
    write_bytes(folder_.path("labelled"), labelled_text(90));
    write_bytes(folder_.path("tagged"), tagged_text(60));
    options.text.paths = {folder_.path(kind == TaskKind::kTag ? "tagged" : "labelled")};
    options.files.save = folder_.path(name);
    options.network.hidden = 7;
    options.network.embed = 6;
    if (kind == TaskKind::kTag) options.task.characters = 4;
    if (kind == TaskKind::kClassify) options.task.characters = 3;
    options.run.batch_size = 8;
    options.run.epochs.reset();
    options.run.steps = 40;
    options.files.save_every = 7;
    options.run.threads = 1;
    return options;
  }
};

constexpr TaskKind kTasks[] = {TaskKind::kClassify, TaskKind::kTag, TaskKind::kConditional};

TEST_F(TaskTrain, ARunThatIsKilledAndResumedGivesTheSameBytes) {
  for (const TaskKind kind : kTasks) {
    const TrainOptions options = small_task(kind);
    TrainOptions whole = options;
    whole.files.overwrite = true;
    EXPECT_EQ(trained(whole), trained_in_parts(options)) << task_name(kind);
  }
}

TEST_F(TaskTrain, AnyNumberOfThreadsGivesTheSameBytes) {
  for (const TaskKind kind : kTasks) {
    TrainOptions options = small_task(kind, "one");
    options.files.overwrite = true;
    const std::string one = trained(options);
    options.run.threads = 3;
    EXPECT_EQ(trained(options), one) << task_name(kind);
  }
}

TEST_F(TaskTrain, EachTaskLearnsItsTexts) {
  for (const TaskKind kind : kTasks) {
    TrainOptions options = small_task(kind);
    options.files.overwrite = true;
    options.run.steps = 150;
    options.run.lr = 0.02;
    options.regularization = {};
    const TrainResult result = train(options);
    if (kind == TaskKind::kConditional) {
      EXPECT_LT(*result.best_valid_nats_per_token, 1.2);
    } else {
      ASSERT_TRUE(result.best_valid_accuracy);
      EXPECT_GT(*result.best_valid_accuracy, 0.97) << task_name(kind);
    }
    const Model model = Model::load(options.files.save);
    EXPECT_EQ(model.task().kind, kind);
    EXPECT_EQ(model.task().labels.size(), 2U);
  }
}

TEST_F(TaskTrain, AClassifierIsCalibratedWhereThereIsValidation) {
  TrainOptions options = small_task(TaskKind::kClassify);
  options.files.overwrite = true;
  options.regularization = {};
  const TrainResult result = train(options);
  ASSERT_TRUE(result.temperature);
  EXPECT_NE(result.temperature->value, 1);
  EXPECT_LT(result.temperature->nats_after, result.temperature->nats_before);
  EXPECT_NEAR(result.temperature->nats_before, *result.best_valid_nats_per_token, 1e-6);
  EXPECT_EQ(Model::load(options.files.save).task().temperature, result.temperature->value);
  options.text.valid_split = 0;
  EXPECT_FALSE(train(options).temperature);
  EXPECT_EQ(Model::load(options.files.save).task().temperature, 1);
}

TEST_F(TaskTrain, EveryRegulariserAndOptimizerRuns) {
  for (const TaskKind kind : kTasks) {
    TrainOptions options = small_task(kind);
    options.files.overwrite = true;
    options.run.steps = 6;
    Regularization all;
    all.input = all.between = all.output = all.words = all.recurrent = 0.2;
    all.locked = true;
    all.ar = all.tar = 0.1;
    options.regularization = all;
    options.network.layers = 2;
    options.network.residual = true;
    options.network.layer_norm = true;
    options.run.average = Average::kTriggered;
    options.run.optimizer = Optimizer::kSgd;
    options.run.lr = 0.5;
    options.run.momentum = 0.9;
    options.run.precision = Precision::kBf16;
    EXPECT_EQ(train(options).steps, 6) << task_name(kind);
  }
}

TEST_F(TaskTrain, AnUnseenLabelOfTheValidationTextIsRefusedWithItsPlace) {
  TrainOptions options = small_task(TaskKind::kClassify);
  write_bytes(folder_.path("valid"), "__label__pets a cat\n__label__birds a crow\n");
  options.text.valid = folder_.path("valid");
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 2", [&] { train(options); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "birds", [&] { train(options); }));
}

TEST_F(TaskTrain, OneClassIsRefused) {
  TrainOptions options = small_task(TaskKind::kClassify);
  write_bytes(folder_.path("labelled"), "__label__pets a cat\n__label__pets a dog\n");
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "label", [&] { train(options); }));
  EXPECT_FALSE(std::filesystem::exists(options.files.save));
}

TEST_F(TaskTrain, OptionsOfOtherTasksAreRefusedByName) {
  TrainOptions steps = small_task(TaskKind::kClassify);
  steps.task.readout = Readout::kSteps;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`task.readout`", [&] { train(steps); }));
  TrainOptions tied = small_task(TaskKind::kTag);
  tied.network.tied = true;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "tied weights", [&] { train(tied); }));
  TrainOptions fold = small_task(TaskKind::kClassify);
  fold.task.folds = 3;
  fold.task.fold = 4;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`task.fold`", [&] { train(fold); }));
  TrainOptions from = small_task(TaskKind::kClassify);
  from.files.overwrite = true;
  train(from);
  TrainOptions language = small("language");
  language.files.from = from.files.save;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "was trained to classify", [&] { train(language); }));
}

TEST_F(TaskTrain, AClassifierKnowsTheCharactersThatItsTextsHaveTwice) {
  TrainOptions options = small_task(TaskKind::kClassify);
  options.text.valid_split = 0;
  options.run.steps = 1;
  write_bytes(folder_.path("labelled"), "__label__a Cab, b\xC3\xA9\n__label__b\tCad \xC3\xA9.\n");
  train(options);
  const Model model = Model::load(options.files.save);
  EXPECT_EQ(model.task().characters, (std::vector<std::string>{"C", "a", "b", "\xC3\xA9"}));
  EXPECT_EQ(model.config().characters, 5);
  EXPECT_EQ(model.config().character_hidden, 3);
  EXPECT_EQ(std::ranges::count(model.tokenizer().vocabulary(), "cab"), 1) << "words are folded, characters are not";
}

TEST_F(TaskTrain, CharactersAreForTasksWithLabelsAndWords) {
  TrainOptions letters = small_task(TaskKind::kClassify);
  letters.tokenizer = {.kind = TokenizerKind::kChar};
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`tokenizer.kind` is char", [&] { train(letters); }));
  TrainOptions conditional = small_task(TaskKind::kConditional);
  conditional.task.characters = 3;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`task.characters` is 3", [&] { train(conditional); }));
}

// Classifiers had no characters at first, and their records did not name any.
TEST_F(TaskTrain, ARecordWithoutCharactersMeansThoseOfItsTask) {
  const auto recorded = [](TaskKind kind, std::int64_t characters) {
    TrainOptions options;
    options.task.kind = kind;
    options.task.characters = characters;
    return named_value(recorded_options(options), "chars");
  };
  EXPECT_FALSE(recorded(TaskKind::kClassify, 0));
  EXPECT_EQ(recorded(TaskKind::kClassify, 30), "30");
  EXPECT_FALSE(recorded(TaskKind::kTag, 30));
  EXPECT_EQ(recorded(TaskKind::kTag, 0), "0");
  EXPECT_FALSE(recorded(TaskKind::kLanguage, 0));
}

TEST_F(TaskTrain, FoldsHoldOutEachTextOnce) {
  std::int64_t held_out = 0;
  for (std::int64_t fold = 1; fold <= 3; ++fold) {
    TrainOptions options = small_task(TaskKind::kClassify);
    options.files.overwrite = true;
    options.run.steps = 1;
    options.task.folds = 3;
    options.task.fold = fold;
    train(options, {.on_plan = [&](const TrainPlan& plan) {
            held_out += plan.valid_texts;
            EXPECT_EQ(plan.train_texts + plan.valid_texts, 90);
          }});
  }
  EXPECT_EQ(held_out, 90);
}

LabelledTexts counted(int first, int second) {
  LabelledTexts texts{.texts = {}, .labels = {"a", "b"}};
  for (int i = 0; i < first + second; ++i) texts.texts.push_back({.text = "x", .labels = {i < first ? 0 : 1}});
  return texts;
}

TEST(ClassWeights, BalancedOnesMakeAllLabelsWeighTheSame) {
  const std::vector<double> weights = class_weights("balanced", counted(6, 2));
  EXPECT_DOUBLE_EQ(6 * weights[0], 2 * weights[1]);
  EXPECT_DOUBLE_EQ(6 * weights[0] + 2 * weights[1], 8);
}

TEST(ClassWeights, NamedOnesAreReadAndOthersAreOne) {
  EXPECT_EQ(class_weights("b=2.5", counted(1, 1)), (std::vector<double>{1, 2.5}));
  EXPECT_EQ(class_weights("b=2,a=0", counted(1, 1)), (std::vector<double>{0, 2}));
  EXPECT_TRUE(class_weights("", counted(1, 1)).empty());
}

TEST(ClassWeights, WhatIsNoWeightIsRefused) {
  for (const char* bad : {"a", "a=", "a=x", "a=-1", "c=1", "a=inf", "a=0,b=0", "a=1,,b=2"}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`task.class_weights`", [&] {
      static_cast<void>(class_weights(bad, counted(1, 1)));
    })) << bad;
  }
}

}  // namespace
}  // namespace unroll
