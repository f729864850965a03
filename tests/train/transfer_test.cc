// Classifiers and taggers that start from a language model.
#include "train/transfer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "model/model_file.h"
#include "support/error_of.h"
#include "support/small_run.h"
#include "unroll/label/classifier.h"
#include "unroll/model.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

class Transfer : public SmallRun {
 protected:
  TrainOptions small_task(TaskKind kind, const std::string& name = "model") {
    std::string labelled;
    std::string tagged;
    for (const char* const noun : {"cat", "dog", "house"}) {
      for (const char* const word : {"old", "small", "the", "a", "sees", "hears", "and", "red"}) {
        labelled += std::string("__label__") + (*noun == 'h' ? "things " : "pets ") + word + " " + noun + " hears\n";
        tagged += std::string(word) + " X\n" + noun + " N\n\n";
      }
    }
    write_bytes(folder_.path("labelled"), labelled);
    write_bytes(folder_.path("tagged"), tagged);
    write_bytes(folder_.path("unlabelled"), some_text(60));
    TrainOptions options = default_options(kind);
    options.text.paths = {folder_.path(kind == TaskKind::kTag ? "tagged" : "labelled")};
    options.files.save = folder_.path(name);
    options.network.hidden = 6;
    options.network.embed = 5;
    options.task.characters = kind == TaskKind::kTag ? 3 : 0;
    options.transfer.unlabelled_epochs = 2;
    options.run.batch_size = 6;
    options.run.epochs = 3;
    options.files.save_every = 2;
    options.run.threads = 1;
    return options;
  }

  TrainOptions with_unlabelled(TaskKind kind) {
    TrainOptions options = small_task(kind);
    options.transfer.unlabelled = folder_.path("unlabelled");
    return options;
  }

  // The values of a tensor in a model's file.
  static std::vector<float> tensor(const Model& model, const std::string& name) {
    Parameters all(model.config());
    read_parameters(model.config(), model.data().weights.view(), all);
    for (const ParameterTensor& tensor : all.tensors()) {
      if (tensor.name == name) return {all.values(tensor).begin(), all.values(tensor).end()};
    }
    return {};
  }
};

TEST_F(Transfer, ALanguageModelOfBothDirectionsIsTrainedFirstAndSaved) {
  for (const TaskKind kind : {TaskKind::kClassify, TaskKind::kTag}) {
    TrainOptions options = with_unlabelled(kind);
    options.files.overwrite = true;
    std::vector<TaskKind> planned;
    train(options, {.on_plan = [&](const TrainPlan& plan) { planned.push_back(plan.task); }});
    EXPECT_EQ(planned, (std::vector{TaskKind::kLanguage, kind}));
    const Model language = Model::load(language_model_path(options.files.save));
    EXPECT_TRUE(language.config().bidirectional);
    EXPECT_EQ(language.config().outputs, 0);
    EXPECT_EQ(language.config().characters > 0, kind == TaskKind::kTag);
    EXPECT_EQ(Model::load(options.files.save).tokenizer().vocabulary(), language.tokenizer().vocabulary());
    EXPECT_FALSE(std::filesystem::exists(language_model_path(options.files.save) + ".resume"));
  }
}

TEST_F(Transfer, KilledInEitherRunAndResumedItGivesTheSameBytes) {
  for (const TaskKind kind : {TaskKind::kClassify, TaskKind::kTag}) {
    TrainOptions options = with_unlabelled(kind);
    options.regularization.language = 0.2;
    TrainOptions whole = options;
    whole.files.overwrite = true;
    EXPECT_EQ(trained(whole), trained_in_parts(options)) << task_name(kind);
    EXPECT_EQ(bytes_of(language_model_path(folder_.path("model"))),
              bytes_of(language_model_path(folder_.path("parts"))));
    whole.run.threads = 3;
    EXPECT_EQ(trained(whole), bytes_of(folder_.path("parts"))) << task_name(kind);
  }
}

TEST_F(Transfer, TakesWhatBothNetworksHave) {
  TrainOptions options = with_unlabelled(TaskKind::kClassify);
  options.files.overwrite = true;
  train(options);
  const Model language = Model::load(language_model_path(options.files.save));
  NetworkConfig config = config_from(language, Model::load(options.files.save).config());
  Parameters parameters(config);
  const std::vector<std::string> taken = take_tensors(language, config, parameters);
  EXPECT_EQ(taken.size(), 9U);  // the embedding and four tensors of each direction
  for (const ParameterTensor& tensor : parameters.tensors()) {
    const auto values = parameters.values(tensor);
    const bool is_taken = std::ranges::find(taken, tensor.name) != taken.end();
    EXPECT_EQ(is_taken, !tensor.name.starts_with("decoder")) << tensor.name;
    if (!is_taken) continue;
    EXPECT_EQ(std::vector<float>(values.begin(), values.end()), this->tensor(language, tensor.name)) << tensor.name;
  }
  config.language = true;
  Parameters next_to_task(config);
  EXPECT_EQ(take_tensors(language, config, next_to_task).size(), 11U);  // projection and bias too
}

TEST_F(Transfer, ALanguageModelOfOneDirectionGivesItsLayers) {
  TrainOptions of_text = small("language");
  of_text.tokenizer.kind = TokenizerKind::kWhitespace;
  of_text.network.hidden = 8;
  of_text.network.layers = 2;
  train(of_text);
  TrainOptions options = small_task(TaskKind::kClassify);
  options.transfer.init = of_text.files.save;
  options.transfer.unfreeze = 50;  // nothing but the output layer moves
  options.network.layers = 2;
  options.task.bidirectional = false;
  train(options);
  const Model from = Model::load(of_text.files.save);
  const Model model = Model::load(options.files.save);
  EXPECT_EQ(model.config().hidden, 8);
  for (const char* const name : {"encoder.weight", "rnn.weight_hh_l0", "rnn.weight_ih_l1"}) {
    EXPECT_EQ(tensor(model, name), tensor(from, name)) << name;
  }
}

TEST_F(Transfer, ALayerWithMoreInputsTakesItsFirstColumns) {
  TrainOptions of_text = small("language");
  of_text.tokenizer.kind = TokenizerKind::kWhitespace;
  of_text.network.hidden = 6;
  train(of_text);
  TrainOptions options = small_task(TaskKind::kTag);
  options.transfer.init = of_text.files.save;
  options.transfer.unfreeze = 50;
  train(options);
  const std::vector<float> narrow = tensor(Model::load(of_text.files.save), "rnn.weight_ih_l0");  // (24, 6)
  const std::vector<float> wide = tensor(Model::load(options.files.save), "rnn.weight_ih_l0");    // (24, 6 + 2 * 3)
  ASSERT_EQ(2 * narrow.size(), wide.size());
  for (std::size_t i = 0; i < narrow.size(); ++i) EXPECT_EQ(wide[i / 6 * 12 + i % 6], narrow[i]) << i;
}

TEST_F(Transfer, RatesFallFromTheOutputLayerToTheEmbedding) {
  const NetworkConfig config{.vocabulary = 5, .embed = 2, .hidden = 2, .layers = 2, .outputs = 2};
  const Parameters parameters(config);
  const auto rates_at = [&](const LayerRates& rules, std::int64_t epoch) {
    return tensor_rates(rules, config, parameters.tensors(), epoch);
  };
  EXPECT_TRUE(rates_at({}, 0).empty());
  const std::vector<double> rates = rates_at({.decay = 2}, 0);
  ASSERT_EQ(rates.size(), parameters.tensors().size());
  EXPECT_EQ(rates.front(), 1.0 / 8);
  EXPECT_EQ(rates[1], 1.0 / 4);  // of layer 0
  EXPECT_EQ(rates[5], 1.0 / 2);  // of layer 1
  EXPECT_EQ(rates.back(), 1);
  const LayerRates gradual{.decay = 1, .unfreeze = 2};
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) {
    const std::vector<double> now = rates_at(gradual, epoch);
    EXPECT_EQ(now.back(), 1);
    EXPECT_EQ(now[5], epoch >= 2 ? 1 : 0) << epoch;
    EXPECT_EQ(now[1], epoch >= 4 ? 1 : 0) << epoch;
    EXPECT_EQ(now.front(), epoch >= 6 ? 1 : 0) << epoch;
  }
}

TEST_F(Transfer, WithTheLossOfALanguageModelTheSavedModelIsWithoutIt) {
  TrainOptions options = small_task(TaskKind::kClassify);
  options.files.overwrite = true;
  const std::string without = trained(options);
  options.regularization.language = 0.5;
  const std::string with = trained(options);
  EXPECT_NE(with, without);
  EXPECT_EQ(with.find("language.bias"), std::string::npos);
  EXPECT_FALSE(Model::load(options.files.save).config().language);
}

TEST_F(Transfer, WhatDoesNotGoTogetherIsRefused) {
  const auto refused = [&](const TrainOptions& options, const std::string& part) {
    return fails_with(ErrorCode::kUsage, part, [&] { train(options); });
  };
  TrainOptions options = with_unlabelled(TaskKind::kClassify);
  options.files.overwrite = true;
  train(options);
  const std::string language = language_model_path(options.files.save);
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "both directions", [&] { static_cast<void>(Scorer(Model::load(language))); }));
  options.transfer.init = language;
  EXPECT_TRUE(refused(options, "`transfer.unlabelled`"));
  TrainOptions of_task = small_task(TaskKind::kTag, "other");
  of_task.transfer.init = options.files.save;
  EXPECT_TRUE(refused(of_task, "expected a language model"));
  TrainOptions of_text = small("text_model");
  of_text.transfer.init = language;
  EXPECT_TRUE(refused(of_text, "`transfer.init` is for"));
  TrainOptions onto_itself = small_task(TaskKind::kClassify);
  onto_itself.files.overwrite = true;
  onto_itself.transfer.init = onto_itself.files.save;
  EXPECT_TRUE(refused(onto_itself, "would replace"));
}

TEST_F(Transfer, ARunOfAnotherStartIsNotResumed) {
  TrainOptions options = small_task(TaskKind::kClassify, "resumed");
  int steps = 0;
  train(options, {.on_step = [&](const StepReport&) { ++steps; }, .stop_requested = [&] { return steps == 3; }});
  TrainOptions first = with_unlabelled(TaskKind::kClassify);
  first.files.overwrite = true;
  train(first);
  options.files.resume = true;
  options.transfer.init = language_model_path(first.files.save);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "", [&] { train(options); }));
}

}  // namespace
}  // namespace unroll
