#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "network/network.h"
#include "network/random_windows.h"
#include "unroll/gradcheck.h"

namespace unroll {
namespace {

// All sizes differ.
NetworkConfig task_of(Cell cell, Readout readout, Loss loss) {
  return {.cell = cell,
          .vocabulary = 7,
          .embed = 5,
          .hidden = 4,
          .layers = 2,
          .outputs = 3,
          .loss = loss,
          .readout = readout,
          .bidirectional = true};
}

::testing::AssertionResult is_right(const GradientCheckOptions& options) {
  for (const TensorGradientError& tensor : check_gradients(options)) {
    if (is_within_bounds(tensor)) continue;
    return ::testing::AssertionFailure() << tensor.name << ": reference " << tensor.reference << ", production "
                                         << tensor.production << ", rounding " << tensor.rounding;
  }
  return ::testing::AssertionSuccess();
}

GradientCheckOptions check_of(const NetworkConfig& config, std::uint64_t seed = 1) {
  return {.config = config, .steps = 6, .rows = 3, .seed = seed};
}

TEST(TaskGradient, OfEveryReadoutInBothDirections) {
  for (const Readout readout : all_readouts()) {
    EXPECT_TRUE(is_right(check_of(task_of(Cell::kLstm, readout, Loss::kSoftmax)))) << readout_name(readout);
  }
}

TEST(TaskGradient, OfEveryReadoutForwardsAlone) {
  for (const Readout readout : all_readouts()) {
    NetworkConfig config = task_of(Cell::kGru, readout, Loss::kSoftmax);
    config.bidirectional = false;
    EXPECT_TRUE(is_right(check_of(config, 2))) << readout_name(readout);
  }
}

TEST(TaskGradient, OfEveryCellInBothDirections) {
  for (const Cell cell : all_cells()) {
    EXPECT_TRUE(is_right(check_of(task_of(cell, Readout::kConcat, Loss::kSoftmax), 3))) << cell_name(cell);
  }
}

TEST(TaskGradient, OfEveryLoss) {
  EXPECT_TRUE(is_right(check_of(task_of(Cell::kLstm, Readout::kMean, Loss::kSigmoid))));
  EXPECT_TRUE(is_right(check_of(task_of(Cell::kLstm, Readout::kMean, Loss::kSquared))));
  EXPECT_TRUE(is_right(check_of(task_of(Cell::kLstm, Readout::kSteps, Loss::kSquared))));
  EXPECT_TRUE(is_right(check_of(task_of(Cell::kLstm, Readout::kSteps, Loss::kCrf))));
}

TEST(TaskGradient, OfSmoothedLabels) {
  for (const Readout readout : {Readout::kMax, Readout::kSteps}) {
    GradientCheckOptions options = check_of(task_of(Cell::kGru, readout, Loss::kSoftmax), 4);
    options.regularization.label_smoothing = 0.3;
    EXPECT_TRUE(is_right(options)) << readout_name(readout);
  }
}

TEST(TaskGradient, OfWordsFromTheirCharacters) {
  NetworkConfig config = task_of(Cell::kLstm, Readout::kSteps, Loss::kCrf);
  config.characters = 6;
  config.character_hidden = 3;
  EXPECT_TRUE(is_right(check_of(config)));
  config.cell = Cell::kMinGru;
  EXPECT_TRUE(is_right(check_of(config, 2)));
}

TEST(TaskGradient, OfNumbersAsInput) {
  NetworkConfig config = task_of(Cell::kGru, Readout::kAttention, Loss::kSquared);
  config.vocabulary = 0;
  EXPECT_TRUE(is_right(check_of(config)));
}

TEST(TaskGradient, OfALanguageModelOfBothDirections) {
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kMinGru}) {
    NetworkConfig config{.cell = cell, .vocabulary = 7, .embed = 5, .hidden = 4, .bidirectional = true};
    EXPECT_TRUE(is_right(check_of(config))) << cell_name(cell);
    config.tied = true;
    EXPECT_TRUE(is_right(check_of(config, 2))) << cell_name(cell) << ", tied";
    config.characters = 6;
    config.character_hidden = 3;
    EXPECT_TRUE(is_right(check_of(config, 3))) << cell_name(cell) << ", with characters";
  }
}

TEST(TaskGradient, OfALanguageModelNextToTheTask) {
  for (const bool bidirectional : {true, false}) {
    NetworkConfig config = task_of(Cell::kLstm, Readout::kConcat, Loss::kSoftmax);
    config.bidirectional = bidirectional;
    config.layers = bidirectional ? 1 : 2;
    config.language = true;
    GradientCheckOptions options = check_of(config);
    options.regularization.language = 0.3;
    EXPECT_TRUE(is_right(options));
    options.config.embed = options.config.hidden;  // without a projection
    options.config.readout = Readout::kSteps;
    options.config.loss = Loss::kCrf;
    options.regularization.output = 0.4;
    EXPECT_TRUE(is_right(options));
  }
}

TEST(TaskGradient, OfConditions) {
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kMinLstm}) {
    const NetworkConfig config{.cell = cell, .vocabulary = 7, .embed = 5, .hidden = 4, .layers = 2, .conditions = 3};
    EXPECT_TRUE(is_right(check_of(config))) << cell_name(cell);
  }
}

TEST(TaskGradient, WithEveryRegularisation) {
  Regularization all;
  all.input = 0.3;
  all.between = 0.2;
  all.output = 0.4;
  all.words = 0.25;
  all.recurrent = 0.3;
  all.locked = true;
  all.ar = 0.5;
  all.tar = 0.7;
  all.label_smoothing = 0.2;
  GradientCheckOptions options = check_of(task_of(Cell::kLstm, Readout::kConcat, Loss::kSoftmax));
  options.regularization = all;
  options.config.residual = true;
  options.config.layer_norm = true;
  EXPECT_TRUE(is_right(options));
  options.config.readout = Readout::kSteps;
  options.config.loss = Loss::kCrf;
  EXPECT_TRUE(is_right(options));
}

// What a network says of one text, alone in its window or with others around it.
class Company : public ::testing::Test {
 protected:
  static std::vector<float> scores_of(const NetworkConfig& config, const Window& window, Workers& workers) {
    Parameters parameters(config);
    RandomNumbers random(5);
    for (const ParameterTensor& tensor : parameters.tensors()) {
      for (float& value : parameters.values(tensor)) value = random.next();
    }
    NetworkWeights weights(config, Purpose::kInference);
    weights.pack(parameters, workers);
    Network network(config, Purpose::kInference, window.T, window.B, workers);
    NetworkState state(config, window.B);
    for (float& number : state.h.span()) number = NAN;
    for (float& number : state.c.span()) number = NAN;
    network.forward(weights, window, state);
    const MatView<const float> scores = network.scores(weights);
    return {scores.data, scores.data + scores.size()};
  }

  // Text number `text` of a window, its pieces one above the other.
  static Window alone(const Window& all, std::size_t text) {
    Window window;
    const WindowText& whole = all.texts[text];
    window.B = whole.count;
    for (std::int32_t p = 0; p < whole.count; ++p) {
      const WindowPiece& piece = all.pieces[static_cast<std::size_t>(whole.first + p)];
      window.T = std::max<std::int64_t>(window.T, piece.steps);
      window.pieces.push_back({p, 0, piece.steps});
    }
    window.texts.push_back({0, whole.count});
    window.inputs.assign(static_cast<std::size_t>(window.T * window.B), 0);
    window.reset.assign(window.inputs.size(), 1);
    window.targets = {0};
    for (std::int32_t p = 0; p < whole.count; ++p) {
      const WindowPiece& piece = all.pieces[static_cast<std::size_t>(whole.first + p)];
      for (std::int32_t t = 0; t < piece.steps; ++t) {
        const auto to = static_cast<std::size_t>(t * window.B + p);
        window.inputs[to] = all.inputs[static_cast<std::size_t>((piece.first + t) * all.B + piece.row)];
        window.reset[to] = t == 0 ? 1 : 0;
      }
    }
    return window;
  }
};

TEST_F(Company, OfATextChangesNoBitOfItsScores) {
  Workers one(1);
  Workers two(2);
  for (const Cell cell : all_cells()) {
    for (const Readout readout : {Readout::kConcat, Readout::kAttention}) {
      const NetworkConfig config = task_of(cell, readout, Loss::kSoftmax);
      RandomNumbers random(9);
      const Window window = random_window(config, 11, 5, random);
      ASSERT_GE(window.texts.size(), 4U);
      const std::vector<float> together = scores_of(config, window, two);
      for (std::size_t text = 0; text < window.texts.size(); ++text) {
        const std::vector<float> by_itself = scores_of(config, alone(window, text), one);
        const std::vector<float> part(together.begin() + static_cast<std::ptrdiff_t>(3 * text),
                                      together.begin() + static_cast<std::ptrdiff_t>(3 * text + 3));
        EXPECT_EQ(by_itself, part) << cell_name(cell) << ", text " << text;
      }
    }
  }
}

}  // namespace
}  // namespace unroll
