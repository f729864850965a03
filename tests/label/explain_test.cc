#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/label_models.h"
#include "unroll/label/classifier.h"
#include "unroll/label/explanation.h"

namespace unroll {
namespace {

Model model_of_cell(Cell cell, Readout readout, bool bidirectional) {
  NetworkConfig config = label_config(3, readout);
  config.cell = cell;
  config.bidirectional = bidirectional;
  return label_model(config, random_parameters(config, 0.9F, 5), animals());
}

TEST(Explain, AttributionsAddUpToTheChangeOfTheScore) {
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kRnnTanh, Cell::kMinLstm}) {
    for (const Readout readout : {Readout::kConcat, Readout::kAttention, Readout::kLast}) {
      Explainer explainer(model_of_cell(cell, readout, readout != Readout::kLast));
      for (std::int32_t label = 0; label < 3; ++label) {
        const Explanation found = explainer.explain("the old cat sees the bird", label);
        const double change = std::fabs(found.score - found.baseline_score);
        EXPECT_LE(std::fabs(found.error()), 0.01 * change) << cell_name(cell) << " " << readout_name(readout);
        EXPECT_GT(change, 0.001);
        EXPECT_EQ(found.tokens.size(), 6U);
      }
    }
  }
}

TEST(Explain, CharactersOfAWordAreAPartOfIt) {
  Explainer explainer(spelled_animals_model());
  Classifier classifier(spelled_animals_model());
  const Explanation found = explainer.explain("old coat sees");
  EXPECT_LE(std::fabs(found.error()), 0.01 * std::fabs(found.score - found.baseline_score));
  EXPECT_EQ(found.probability,
            classifier.classify("old coat sees").probabilities[static_cast<std::size_t>(found.label)]);
  const double p = classifier.classify("old sees").probabilities[static_cast<std::size_t>(found.label)];
  EXPECT_EQ(found.tokens[1].left_out, found.probability - p);
  EXPECT_NE(explainer.explain("old toad sees", found.label).tokens[1].attribution, found.tokens[1].attribution);
}

TEST(Explain, ScoresAreThoseThatProbabilitiesComeFrom) {
  Explainer explainer(animals_model());
  Classifier classifier(animals_model());
  const ClassifiedText text = classifier.classify("the cat sees");
  std::vector<double> scores;
  for (std::int32_t label = 0; label < 3; ++label) {
    const Explanation found = explainer.explain("the cat sees", label);
    EXPECT_EQ(found.probability, text.probabilities[static_cast<std::size_t>(label)]);
    scores.push_back(found.score);
  }
  EXPECT_NEAR((scores[0] - scores[1]) / animals().temperature, text.log_probs[0] - text.log_probs[1], 1e-5);
  EXPECT_EQ(explainer.explain("the cat sees").label, classifier.ranked(text).front());
}

TEST(Explain, LeavingATokenOutIsTheTextWithoutIt) {
  Explainer explainer(animals_model());
  Classifier classifier(animals_model());
  const Explanation found = explainer.explain("old dog sees bird");
  const std::vector<std::string> without{"dog sees bird", "old sees bird", "old dog bird", "old dog sees"};
  for (std::size_t t = 0; t < without.size(); ++t) {
    const double p = classifier.classify(without[t]).probabilities[static_cast<std::size_t>(found.label)];
    EXPECT_EQ(found.tokens[t].left_out, found.probability - p);
  }
  EXPECT_TRUE(found.tokens[3].is_unknown);
  EXPECT_FALSE(found.tokens[0].is_unknown);
}

TEST(Explain, TokensAreWhereTheTextHasThem) {
  Explainer explainer(animals_model());
  const Explanation found = explainer.explain("  the   bird");
  ASSERT_EQ(found.tokens.size(), 2U);
  EXPECT_EQ(found.tokens[0].text, "the");
  EXPECT_EQ(found.tokens[0].offset, 2);
  EXPECT_EQ(found.tokens[1].text, "bird");
  EXPECT_EQ(found.tokens[1].offset, 8);
}

TEST(Explain, ATextWithoutTokensIsExplainedByItsEnd) {
  Explainer explainer(animals_model());
  const Explanation found = explainer.explain("");
  EXPECT_TRUE(found.tokens.empty());
  EXPECT_NEAR(found.end_attribution, found.score - found.baseline_score, 0.01 * std::fabs(found.end_attribution));
}

TEST(Explain, AnyNumberOfThreadsGivesTheSameBits) {
  const std::string text = "the old dog and the old cat";
  Explainer one(animals_model(), 1);
  Explainer three(animals_model(), 3);
  const Explanation a = one.explain(text);
  const Explanation b = three.explain(text);
  EXPECT_EQ(a.end_attribution, b.end_attribution);
  for (std::size_t t = 0; t < a.tokens.size(); ++t) {
    EXPECT_EQ(a.tokens[t].attribution, b.tokens[t].attribution);
    EXPECT_EQ(a.tokens[t].left_out, b.tokens[t].left_out);
  }
}

TEST(Explain, LongTextsAreReadInPiecesAndLeaveNothingOut) {
  std::string text;
  for (int i = 0; i < 513; ++i) text += i % 5 == 0 ? "old " : "cat ";
  // Of the last outputs one would see that it was read as a whole.
  const Model model = model_of_cell(Cell::kGru, Readout::kConcat, true);
  Explainer explainer(model);
  const Explanation found = explainer.explain(text, 0);
  EXPECT_LE(std::fabs(found.error()), 0.01 * std::fabs(found.score - found.baseline_score));
  EXPECT_FALSE(found.tokens[0].left_out);
  const std::vector<double> log_probs = Classifier(model).classify(text).log_probs;
  const double difference = found.score - explainer.explain(text, 1).score;
  EXPECT_NEAR(difference / animals().temperature, log_probs[0] - log_probs[1], 1e-5);
}

TEST(Explain, RefusesOtherModelsAndLabels) {
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "task language", [] { Explainer(tiny_model(Cell::kGru, tiny_words())); }));
  Explainer explainer(animals_model());
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "expected 0 to 2", [&] { static_cast<void>(explainer.explain("the cat", 3)); }));
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "not UTF-8", [&] { static_cast<void>(explainer.explain("the \xFF")); }));
}

}  // namespace
}  // namespace unroll
