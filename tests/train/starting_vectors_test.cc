// Runs whose embedding starts from word vectors.
#include "train/starting_vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "network/parameters.h"
#include "support/error_of.h"
#include "support/small_run.h"
#include "train/initial_weights.h"
#include "unroll/model.h"
#include "unroll/train.h"

namespace unroll {
namespace {

class StartingVectors : public SmallRun {
 protected:
  TrainOptions with_vectors(const std::string& bytes = "3 4\ncat 1 2 3 4\nbird 9 9 9 9\ndog -1 -2 -3 -4\n") {
    write_bytes(folder_.path("vectors"), bytes);
    TrainOptions options = small();
    options.tokenizer.kind = TokenizerKind::kWord;
    options.transfer.vectors = folder_.path("vectors");
    options.files.overwrite = true;
    options.run.steps = 10;
    return options;
  }
};

TEST(StartingWeights, AreTheVectorsOfWordsAndRandomNumbersOfTheSameSize) {
  const NetworkConfig config{.vocabulary = 600, .embed = 5, .hidden = 3};
  Parameters parameters(config);
  set_initial_weights(config, {.seed = 3}, parameters);
  const WordVectors vectors{.dimension = 5, .ids = {2, 599}, .numbers = {2, -2, 2, -2, 2, 2, 2, 2, 2, -2}};
  set_word_vectors(vectors, parameters);
  const std::span<const float> embedding = parameters.values(parameters.tensors().front());
  EXPECT_TRUE(std::ranges::equal(embedding.subspan(10, 5), vectors.row(0)));
  EXPECT_TRUE(std::ranges::equal(embedding.last(5), vectors.row(1)));
  double sum = 0;
  for (const float x : embedding.subspan(15, 2900)) sum += static_cast<double>(x) * static_cast<double>(x);
  EXPECT_NEAR(std::sqrt(sum / 2900), 2, 0.1);
}

TEST_F(StartingVectors, DecideTheSizeOfTheEmbeddingAndAreToldOf) {
  TrainOptions options = with_vectors();
  options.run.steps = 1;
  options.run.lr = 1e-9;
  std::vector<std::string> notes;
  train(options, {.on_note = [&](std::string_view note) { notes.emplace_back(note); }});
  const Model model = Model::load(options.files.save);
  EXPECT_EQ(model.config().embed, 4);
  EXPECT_TRUE(std::ranges::any_of(notes, [&](const std::string& note) {
    return note.find("has vectors of 2 of the 13 words of the vocabulary (15.4%)") != std::string::npos;
  })) << notes.front();
  options.network.embed = 5;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`network.embed` is 5, and the vectors", [&] { train(options); }));
}

TEST_F(StartingVectors, ARunIsResumedWithTheSameOnesAlone) {
  TrainOptions options = with_vectors();
  options.run.steps = 40;
  const std::string whole = trained(options);
  EXPECT_EQ(trained_in_parts(options), whole);
  const TrainOptions plain = [&] {
    TrainOptions without = options;
    without.transfer.vectors.clear();
    without.network.embed = 4;
    return without;
  }();
  EXPECT_NE(trained(plain), whole);
  std::int64_t steps = 0;
  train(options, {.on_step = [&](const StepReport& report) { steps = report.step; },
                  .stop_requested = [&] { return steps >= 3; }});
  options.files.overwrite = false;
  options.files.resume = true;
  TrainOptions other = plain;
  other.files.overwrite = false;
  other.files.resume = true;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`transfer.vectors` is not set now and was", [&] { train(other); }));
  write_bytes(folder_.path("vectors"), "cat 1 2 3 4\ndog -1 -2 -3 -5\n");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`transfer.vectors` is", [&] { train(options); }));
}

TEST_F(StartingVectors, AreForWordsThatTheyKnow) {
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "has a vector for none of the 13 words",
                         [&] { train(with_vectors("katze 1 2\n")); }));
  TrainOptions letters = with_vectors();
  letters.tokenizer.kind = TokenizerKind::kChar;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`tokenizer.kind` is char", [&] { train(letters); }));
  TrainOptions replaced = with_vectors();
  replaced.files.save = replaced.transfer.vectors;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "which is read", [&] { train(replaced); }));
}

TEST_F(StartingVectors, StartClassifiersToo) {
  TrainOptions options = default_options(TaskKind::kClassify);
  write_bytes(folder_.path("vectors"), "cat 1 2 3\nhouse 1 0 -1\n");
  write_bytes(folder_.path("labelled"), "__label__a the cat\n__label__b the house\n__label__a cat\n__label__b house\n");
  options.text.paths = {folder_.path("labelled")};
  options.text.valid_split = 0;
  options.transfer.vectors = folder_.path("vectors");
  options.files.save = folder_.path("classifier");
  options.network.hidden = 4;
  options.run.epochs.reset();
  options.run.steps = 2;
  train(options);
  EXPECT_EQ(Model::load(options.files.save).config().embed, 3);
  options.files.overwrite = true;
  options.regularization.label_smoothing = 0.1;
  EXPECT_EQ(train(options).steps, 2);
}

TEST_F(StartingVectors, SmoothedLabelsAreForOneLabelOfSeveral) {
  TrainOptions options = with_vectors();
  options.regularization.label_smoothing = 0.1;
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "the loss of this run is that of a language model", [&] { train(options); }));
  TrainOptions tags = default_options(TaskKind::kTag);
  write_bytes(folder_.path("tagged"), "the D\ncat N\n\nthe D\ndog N\n\n");
  tags.text.paths = {folder_.path("tagged")};
  tags.text.valid_split = 0;
  tags.files.save = folder_.path("tagger");
  tags.regularization.label_smoothing = 0.1;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "is crf; give `task.transitions` none", [&] { train(tags); }));
}

}  // namespace
}  // namespace unroll
