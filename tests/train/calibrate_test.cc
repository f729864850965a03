#include "train/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "base/philox.h"
#include "label/answers.h"
#include "label/encoding.h"
#include "label/probabilities.h"
#include "network/network_weights.h"
#include "support/tiny_model.h"

namespace unroll {
namespace {

// A network with random weights, and texts with random labels: it is far too sure of itself.
class Calibrate : public testing::Test {
 protected:
  static constexpr std::size_t kTexts = 70;

  Calibrate() {
    task_ = {.kind = TaskKind::kClassify, .labels = {"a", "b", "c", "d"}};
    const std::vector<std::string> lines = random_lines(kTexts, 12, 5);
    for (std::uint32_t i = 0; i < kTexts; ++i) {
      TextEncoder(tiny_characters(), {}).append(lines[i], "a text", examples_);
      const auto dice = random_words(4, 0, RandomPurpose::kTestPoint, 6, i, 0);
      examples_.labels.push_back(static_cast<std::int32_t>(dice[0] % 3));  // no text has label d
      for (std::uint32_t k = 0; k < 4; ++k)
        examples_.sets.push_back(static_cast<std::uint8_t>(k < 3 ? dice[k] % 2 : 0));
    }
  }

  [[nodiscard]] NetworkConfig config() const {
    NetworkConfig config = tiny_config(Cell::kGru, tiny_characters());
    config.outputs = 4;
    config.readout = Readout::kMean;
    config.loss = task_.multi_label ? Loss::kSigmoid : Loss::kSoftmax;
    return config;
  }

  [[nodiscard]] CalibratedTask calibrated(float scale, int threads = 1) {
    const NetworkConfig shape = config();
    Parameters parameters = random_parameters(shape, scale, 3);
    parameters.decoder_bias()[1] = bias_of_b_;
    Workers workers(threads);
    NetworkWeights weights(shape, Purpose::kInference);
    weights.pack(parameters, workers);
    Examples examples = examples_;
    if (!task_.multi_label) examples.sets.clear();
    return calibrate({shape, weights, workers}, task_, examples);
  }

  Task task_;
  Examples examples_;
  float bias_of_b_ = 0;
};

TEST_F(Calibrate, ATemperatureMakesAnOverconfidentNetworkLessSure) {
  const CalibratedTask found = calibrated(3);
  EXPECT_GT(found.task.temperature, 1.5);
  EXPECT_EQ(found.task.temperature, found.temperature.value);
  EXPECT_LT(found.temperature.nats_after, found.temperature.nats_before);
  EXPECT_TRUE(found.task.thresholds.empty());
  EXPECT_EQ(found.task.labels, task_.labels);
}

TEST_F(Calibrate, TheLossNeverRises) {
  for (const bool multi_label : {false, true}) {
    task_.multi_label = multi_label;
    for (const float scale : {0.0F, 0.01F, 0.3F, 1.0F, 10.0F}) {
      const CalibratedTask found = calibrated(scale);
      EXPECT_LE(found.temperature.nats_after, found.temperature.nats_before) << scale;
      EXPECT_GE(found.task.temperature, 0.1);
      EXPECT_LE(found.task.temperature, 10);
    }
  }
}

TEST_F(Calibrate, AnyNumberOfThreadsGivesTheSameBits) {
  for (const bool multi_label : {false, true}) {
    task_.multi_label = multi_label;
    const CalibratedTask one = calibrated(2, 1);
    const CalibratedTask three = calibrated(2, 3);
    EXPECT_EQ(one.task, three.task);
    EXPECT_EQ(one.temperature.nats_after, three.temperature.nats_after);
    EXPECT_EQ(one.never_answered, three.never_answered);
  }
}

TEST_F(Calibrate, EachLabelOfManyHasAThreshold) {
  task_.multi_label = true;
  const CalibratedTask found = calibrated(2);
  ASSERT_EQ(found.task.thresholds.size(), 4U);
  for (const double threshold : found.task.thresholds) {
    EXPECT_GE(threshold, 0);
    EXPECT_LE(threshold, 1);
  }
  EXPECT_NE(found.task.thresholds[0], 0.5);
  EXPECT_EQ(found.task.thresholds[3], 0.5);  // no text has it
}

TEST_F(Calibrate, NamesLabelsThatTextsHaveAndNoTextIsGiven) {
  bias_of_b_ = 50;
  EXPECT_EQ(calibrated(0.1F).never_answered.substr(0, 17), "never predicted: ");
  EXPECT_NE(calibrated(0.1F).never_answered.find("\"a\""), std::string::npos);
  EXPECT_NE(calibrated(0.1F).never_answered.find("\"c\""), std::string::npos);
  EXPECT_EQ(calibrated(0.1F).never_answered.find("\"b\""), std::string::npos);
  EXPECT_EQ(calibrated(0.1F).never_answered.find("\"d\""), std::string::npos);
}

TEST_F(Calibrate, ReportsTheLossOfItsProbabilities) {
  const CalibratedTask found = calibrated(3);
  const NetworkConfig shape = config();
  Workers workers(1);
  NetworkWeights weights(shape, Purpose::kInference);
  Parameters parameters = random_parameters(shape, 3, 3);
  parameters.decoder_bias()[1] = 0;
  weights.pack(parameters, workers);
  examples_.sets.clear();
  double nats = 0;
  const auto visit = [&](Network& network, const Window&, std::span<const std::size_t> texts) {
    const MatView<const float> scores = network.scores(weights);
    for (std::size_t r = 0; r < texts.size(); ++r) {
      const std::span<const float> row(scores.row(static_cast<std::int64_t>(r)), 4);
      const auto label = static_cast<std::size_t>(examples_.labels[texts[r]]);
      nats -= probabilities_of(found.task, row).log_probs[label];
    }
  };
  sweep_texts({shape, weights, workers}, examples_, visit, {});
  EXPECT_NEAR(found.temperature.nats_after, nats / kTexts, 1e-12);
}

}  // namespace
}  // namespace unroll
