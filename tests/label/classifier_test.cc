#include "unroll/label/classifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "support/error_of.h"
#include "support/label_models.h"
#include "unroll/error.h"

namespace unroll {
namespace {

std::vector<std::string> some_texts() {
  return {"the cat sees the dog", "", "old", "the old dog and the old cat and the bird", "   ", "cat dog cat dog"};
}

void expect_same_bits(const ClassifiedText& a, const ClassifiedText& b) {
  EXPECT_EQ(a.probabilities, b.probabilities);
  EXPECT_EQ(a.log_probs, b.log_probs);
  EXPECT_EQ(a.log_complements, b.log_complements);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.unknown_tokens, b.unknown_tokens);
}

TEST(Classifier, ProbabilitiesAddToOneAndAgreeWithTheirLogarithms) {
  Classifier classifier(animals_model());
  for (const ClassifiedText& text : classifier.classify(some_texts())) {
    EXPECT_NEAR(std::accumulate(text.probabilities.begin(), text.probabilities.end(), 0.0), 1, 1e-12);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(std::exp(text.log_probs[k]), text.probabilities[k], 1e-15);
    EXPECT_TRUE(text.log_complements.empty());
  }
}

TEST(Classifier, ATextGetsTheSameBitsInAnyCompanyAndWithAnyNumberOfThreads) {
  std::vector<std::string> texts = some_texts();
  for (const std::string& line : random_lines(80, 30, 7)) texts.push_back("the " + line + " cat");
  texts.push_back(std::string(3000, 'a') + std::string(3000, ' ') + "dog");
  std::string long_text;
  for (int i = 0; i < 700; ++i) long_text += i % 7 == 0 ? "old " : "cat ";
  texts.push_back(long_text);
  const std::vector<Model> models{animals_model(3, Readout::kLast), animals_model(3, Readout::kMean),
                                  animals_model(3, Readout::kAttention), spelled_animals_model()};
  for (const Model& model : models) {
    Classifier one(model, {.threads = 1});
    Classifier two(model, {.threads = 2});
    const std::vector<ClassifiedText> together = two.classify(texts);
    for (std::size_t i = 0; i < texts.size(); ++i) expect_same_bits(one.classify(texts[i]), together[i]);
  }
}

TEST(Classifier, CountsTokensAndTellsThatATextWasCut) {
  Classifier classifier(animals_model());
  const ClassifiedText text = classifier.classify("the bird sees");
  EXPECT_EQ(text.tokens, 3);
  EXPECT_EQ(text.unknown_tokens, 1);
  EXPECT_FALSE(text.was_cut);
  EXPECT_EQ(classifier.classify("").tokens, 0);
  std::string longest;
  for (int i = 0; i < 4096; ++i) longest += "cat ";
  EXPECT_FALSE(classifier.classify(longest).was_cut);
  const ClassifiedText cut = classifier.classify(longest + "dog");
  EXPECT_TRUE(cut.was_cut);
  EXPECT_EQ(cut.tokens, 4096);
  EXPECT_EQ(cut.probabilities, classifier.classify(longest).probabilities);
}

TEST(Classifier, ReadsTheCharactersOfUnknownWords) {
  Classifier classifier(spelled_animals_model());
  const std::vector<double> coat = classifier.classify("the coat").probabilities;
  EXPECT_NE(classifier.classify("the toad").probabilities, coat);
  EXPECT_NE(classifier.classify("the Coat").probabilities, coat);
  Classifier both({animals_model(), spelled_animals_model()});
  EXPECT_NE(both.classify("the toad").probabilities, both.classify("the coat").probabilities);
}

TEST(Classifier, TheTemperatureDividesScores) {
  const NetworkConfig config = label_config(3);
  Task task = animals();
  const auto log_odds = [&](double temperature) {
    task.temperature = temperature;
    Classifier classifier(label_model(config, random_parameters(config, 1.5F, 3), task));
    const ClassifiedText text = classifier.classify("the cat");
    return text.log_probs[0] - text.log_probs[1];
  };
  EXPECT_NEAR(log_odds(2), log_odds(1) / 2, 1e-12);
  EXPECT_NE(log_odds(1), 0);
}

TEST(Classifier, SeveralModelsGiveTheMeanOfTheirProbabilities) {
  const NetworkConfig config = label_config(3);
  Task other = animals();
  other.labels = {"none", "cat", "dog"};
  other.temperature = 1;
  const Model first = animals_model(3);
  const Model second = label_model(config, random_parameters(config, 1.5F, 4), other);
  Classifier both({first, second});
  Classifier a(first);
  Classifier b(second);
  EXPECT_EQ(both.labels(), animals().labels);
  const std::vector<std::string> texts = some_texts();
  const std::vector<ClassifiedText> means = both.classify(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<double> p = a.classify(texts[i]).probabilities;
    const std::vector<double> q = b.classify(texts[i]).probabilities;
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_NEAR(means[i].probabilities[k], (p[k] + q[(k + 1) % 3]) / 2, 1e-15);
      EXPECT_NEAR(std::exp(means[i].log_probs[k]), means[i].probabilities[k], 1e-15);
    }
  }
}

TEST(Classifier, AnswersTheMostProbableLabelIfItReachesItsThreshold) {
  Classifier classifier(animals_model());
  const ClassifiedText text = classifier.classify("the cat sees the dog");
  const std::vector<std::int32_t> ranked = classifier.ranked(text);
  const auto best = static_cast<std::size_t>(ranked.front());
  EXPECT_GE(text.probabilities[best], text.probabilities[static_cast<std::size_t>(ranked[1])]);
  EXPECT_GE(text.probabilities[static_cast<std::size_t>(ranked[1])],
            text.probabilities[static_cast<std::size_t>(ranked[2])]);
  EXPECT_EQ(classifier.answers(text), std::vector<std::int32_t>{ranked.front()});
  const double p = text.probabilities[best];
  const std::string label = classifier.labels()[best];
  Classifier exact(animals_model(), {.thresholds = {{label, p}}});
  EXPECT_EQ(exact.answers(text).size(), 1U);
  Classifier above(animals_model(), {.threshold = 0.0, .thresholds = {{label, std::nextafter(p, 2)}}});
  EXPECT_TRUE(above.answers(text).empty());
}

TEST(Classifier, AFactorDecidesAgainstTheMostProbableLabel) {
  Classifier usual(animals_model());
  const ClassifiedText text = usual.classify("the cat sees the dog");
  const std::vector<std::int32_t> ranked = usual.ranked(text);
  const auto first = static_cast<std::size_t>(ranked[0]);
  const auto second = static_cast<std::size_t>(ranked[1]);
  const double even = text.probabilities[first] / text.probabilities[second];
  const std::string label = usual.labels()[second];
  Classifier below(animals_model(), {.factors = {{label, even * 0.999}}});
  Classifier above(animals_model(), {.factors = {{label, even * 1.001}}});
  EXPECT_EQ(below.answers(text), std::vector<std::int32_t>{ranked[0]});
  EXPECT_EQ(above.answers(text), std::vector<std::int32_t>{ranked[1]});
  EXPECT_EQ(above.classify("the cat sees the dog").probabilities, text.probabilities);
  Classifier sure(animals_model(),
                  {.threshold = text.probabilities[second] + 1e-9, .factors = {{label, even * 1.001}}});
  EXPECT_TRUE(sure.answers(text).empty());
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`factors`", [] {
    Classifier(animals_model(), {.factors = {{"cat", 0}}});
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "any number", [] {
    Classifier(labels_model({}), {.factors = {{"cat", 2}}});
  }));
}

TEST(Classifier, AveragedModelsHaveTheGeometricMeanOfTheirFactors) {
  const NetworkConfig config = label_config(3);
  Task tuned = animals();
  tuned.factors = {4, 1, 0.25};
  const Model first = label_model(config, random_parameters(config, 1.5F, 3), tuned);
  const Classifier both({first, animals_model(4)});
  EXPECT_NEAR(both.rule().factors[0], 2, 1e-15);
  EXPECT_NEAR(both.rule().factors[2], 0.5, 1e-15);
}

TEST(Classifier, AnswersAllLabelsFromTheirThresholdsOn) {
  Classifier classifier(labels_model({0.1, 0.9, 0.5}));
  EXPECT_TRUE(classifier.multi_label());
  EXPECT_EQ(classifier.rule().thresholds, (std::vector<double>{0.1, 0.9, 0.5}));
  for (const ClassifiedText& text : classifier.classify(some_texts())) {
    const std::vector<std::int32_t> answers = classifier.answers(text);
    for (std::int32_t k = 0; k < 3; ++k) {
      const auto place = static_cast<std::size_t>(k);
      const bool answered = std::ranges::find(answers, k) != answers.end();
      EXPECT_EQ(answered, text.probabilities[place] >= classifier.rule().thresholds[place]);
      EXPECT_NEAR(std::exp(text.log_probs[place]) + std::exp(text.log_complements[place]), 1, 1e-15);
    }
  }
  EXPECT_EQ(Classifier(labels_model({})).rule().thresholds, std::vector<double>(3, 0.5));
  Classifier two({labels_model({0.1, 0.9, 0.5}), labels_model({}, 4)});
  EXPECT_NEAR(two.rule().thresholds[1], 0.7, 1e-15);
  const ClassifiedText mean = two.classify("the cat");
  EXPECT_NEAR(std::exp(mean.log_complements[1]), 1 - mean.probabilities[1], 1e-15);
}

TEST(Classifier, RefusesModelsThatCannotAnswerTogether) {
  const NetworkConfig config = label_config(3);
  Task task = animals();
  task.labels = {"cat", "dog", "bird"};
  const Model birds = label_model(config, random_parameters(config, 1, 4), task);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage,
                         "models that are averaged differ: the label \"bird\" is not among the 3 of the model: "
                         "\"cat\", \"dog\", \"none\"",
                         [&] {
                           Classifier({animals_model(), birds});
                         }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "models that are averaged differ: of one a text has one label", [&] {
    Classifier({animals_model(), labels_model({})});
  }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "no model", [] { Classifier(std::vector<Model>{}); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage,
                         "the model predicts text (task language): expected a model of the task classify",
                         [] { Classifier(tiny_model(Cell::kGru, tiny_words())); }));
}

TEST(Classifier, RefusesThresholdsThatMeanNothing) {
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`thresholds`: the label \"cow\" is not among the 3 of the model", [] {
    Classifier(animals_model(), {.thresholds = {{"cow", 0.5}}});
  }));
  for (const double wrong : {-0.1, 1.1, std::nan("")}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "is not a probability",
                           [&] { Classifier(animals_model(), {.threshold = wrong}); }));
  }
}

TEST(Classifier, AnErrorNamesTheTextThatIsToBlame) {
  Classifier classifier(animals_model());
  const std::vector<std::string> texts{"the cat", "the \xFF dog", "\xFF"};
  const auto wrong = [&] { static_cast<void>(classifier.classify(texts)); };
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "text 2", wrong));
  EXPECT_EQ(error_of(wrong)->index(), 1);
}

TEST(Classifier, ReportsWeightsThatOverflow) {
  const NetworkConfig config = label_config(3);
  Parameters parameters = random_parameters(config, 1, 3);
  parameters.decoder_bias()[1] = std::numeric_limits<float>::infinity();
  Classifier classifier(label_model(config, std::move(parameters), animals()));
  const auto wrong = [&] { static_cast<void>(classifier.classify("the cat")); };
  EXPECT_TRUE(fails_with(ErrorCode::kNumeric, "NaN or infinite", wrong));
  EXPECT_EQ(error_of(wrong)->index(), 0);
}

}  // namespace
}  // namespace unroll
