#include "unroll/probe/probe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/label_models.h"

namespace unroll {
namespace {

// Texts of which the label is the last word's kind.
LabelledTexts some_texts(std::size_t count) {
  LabelledTexts texts{.texts = {}, .labels = {"animal", "other"}, .files = {"texts"}};
  const std::vector<std::string> last{"cat", "dog", "old", "and"};
  const std::vector<std::string> before{"the", "sees", "old", "and", "dog", "cat"};
  for (std::size_t i = 0; i < count; ++i) {
    std::string text;
    for (std::size_t j = i; j > 0; j /= 6) text += before[j % 6] + ' ';
    texts.texts.push_back(
        {.text = text + last[i % 4], .labels = {i % 4 < 2 ? 0 : 1}, .line = static_cast<std::int64_t>(i + 1)});
  }
  return texts;
}

// Sentences whose tags are a function of the word.
TaggedTexts some_sentences(std::size_t count) {
  TaggedTexts texts{.sentences = {}, .tags = {"D", "N", "V"}, .files = {"words"}, .columns = {"2"}};
  for (std::size_t i = 0; i < count; ++i) {
    TaggedSentence sentence{.words = {"the"}, .tags = {0}, .line = static_cast<std::int64_t>(i + 1)};
    for (std::size_t j = i + 1; j > 0; j /= 3) {
      sentence.words.emplace_back(j % 3 == 0 ? "cat" : j % 3 == 1 ? "dog" : "sees");
      sentence.tags.push_back(j % 3 == 2 ? 2 : 1);
    }
    texts.words += std::ssize(sentence.words);
    texts.sentences.push_back(std::move(sentence));
  }
  return texts;
}

TEST(Probe, FindsWhatEachLayerSaysOfTextsAndTheControlDoesNot) {
  const Model model = tiny_model(Cell::kLstm, tiny_words());
  std::vector<std::int64_t> seen;
  const ProbeReport report = probe_texts(
      model, some_texts(400), nullptr,
      {.control = true, .readout = Readout::kLast, .threads = 1, .progress = [&](std::int64_t done, std::int64_t all) {
         seen.push_back(done);
         EXPECT_EQ(all, 3);
       }});
  EXPECT_EQ(report.train + report.chosen_on + report.test, 400);
  EXPECT_EQ(report.test, 40);
  EXPECT_EQ(report.chosen_on, 36);
  EXPECT_EQ(report.majority_accuracy.share(), 0.5);
  ASSERT_EQ(report.layers.size(), 3U);
  EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(report.layers[0].columns, 5);
  EXPECT_EQ(report.layers[2].columns, 7);
  // The embedding of the last word says it all; texts are distinct, so that the control is chance.
  EXPECT_EQ(report.layers[0].accuracy.share(), 1);
  EXPECT_LT(report.layers[0].nats, 0.05);
  for (const LayerProbe& layer : report.layers) {
    EXPECT_GT(layer.accuracy.share(), 0.8);
    EXPECT_LT(layer.control->share(), 0.8);
    EXPECT_EQ(*layer.selectivity(), layer.accuracy.share() - layer.control->share());
  }
}

TEST(Probe, IsTheSameForAnyNumberOfThreadsAndAnotherForAnotherSeed) {
  const Model model = animals_model();
  const auto numbers = [&](const ProbeOptions& options) {
    std::vector<double> found;
    for (const LayerProbe& layer : probe_texts(model, some_texts(120), nullptr, options).layers) {
      found.insert(found.end(), {layer.accuracy.share(), layer.nats, layer.train_loss, layer.l2});
    }
    return found;
  };
  EXPECT_EQ(numbers({.threads = 1}), numbers({.threads = 2}));
  EXPECT_NE(numbers({.threads = 1}), numbers({.seed = 2, .threads = 1}));
}

TEST(Probe, OfWordsKnowsTheControlOfWordsThatItHasSeen) {
  const Model model = tiny_model(Cell::kGru, tiny_words());
  const TaggedTexts test = some_sentences(30);
  const ProbeReport report = probe_words(model, some_sentences(200), &test, {.control = true, .threads = 1});
  EXPECT_EQ(report.test, test.words);
  EXPECT_EQ(report.layers[0].accuracy.share(), 1);
  EXPECT_EQ(report.layers[0].control->share(), 1);  // four types, each with an embedding and a label
  EXPECT_EQ(report.majority, "N");
  EXPECT_GT(report.majority_accuracy.share(), 0.3);
  EXPECT_LT(report.majority_accuracy.share(), 0.8);
}

TEST(Probe, CountsRowsWhoseLabelTrainingLacksAsWrong) {
  const Model model = tiny_model(Cell::kLstm, tiny_words());
  LabelledTexts test = some_texts(12);
  test.labels = {"other", "animal", "new"};
  for (LabelledText& text : test.texts) text.labels = {1 - text.labels.front()};
  for (const std::size_t i : {0U, 4U, 8U}) test.texts[i].labels = {2};
  const ProbeReport report = probe_texts(model, some_texts(200), &test, {.readout = Readout::kLast, .threads = 1});
  EXPECT_EQ(report.test, 12);
  EXPECT_EQ(report.unknown, 3);
  EXPECT_EQ(report.layers[0].accuracy.hits, 9);
  EXPECT_TRUE(std::isfinite(report.layers[0].nats));
}

TEST(Probe, OfRowsFromElsewhereFitsThem) {
  FloatMatrix rows{.rows = 100, .columns = 2};
  std::vector<std::string> labels;
  for (int i = 0; i < 100; ++i) {
    rows.values.push_back(static_cast<float>(i % 10));
    rows.values.push_back(static_cast<float>(i));
    labels.emplace_back(i % 10 < 5 ? "low" : "high");
  }
  const ProbeReport report = probe_rows(rows, labels, {.valid_split = 0.2, .control = true, .threads = 1});
  EXPECT_EQ(report.labels, (std::vector<std::string>{"high", "low"}));
  ASSERT_EQ(report.layers.size(), 1U);
  EXPECT_EQ(report.test, 20);
  EXPECT_EQ(report.layers[0].accuracy.share(), 1);
  labels.pop_back();
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "99 labels for 100 rows", [&] { return probe_rows(rows, labels); }));
}

TEST(Probe, RefusesWhatCannotBeProbed) {
  const Model model = tiny_model(Cell::kLstm, tiny_words());
  const LabelledTexts texts = some_texts(100);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`valid_split` is 0",
                         [&] { return probe_texts(model, texts, nullptr, {.valid_split = 0}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`readout` is attention",
                         [&] { return probe_texts(model, texts, nullptr, {.readout = Readout::kAttention}); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "`label`", [&] { return probe_texts(model, texts, nullptr, {.label = "cats"}); }));
  LabelledTexts one = texts;
  one.labels = {"animal"};
  for (LabelledText& text : one.texts) text.labels = {0};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "", [&] { return probe_texts(model, one, nullptr); }));
}

}  // namespace
}  // namespace unroll
