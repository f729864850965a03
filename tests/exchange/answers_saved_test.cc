#include "unroll/exchange/answers_saved.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/file.h"
#include "support/error_of.h"
#include "support/label_models.h"
#include "support/temporary_folder.h"
#include "unroll/exchange/convert.h"
#include "unroll/label/classifier.h"

namespace unroll {
namespace {

// A model of animals in a file, in each precision.
std::vector<std::string> model_files(const TemporaryFolder& folder) {
  const NetworkConfig config = label_config(3);
  const std::string f32 = folder.path("f32.safetensors");
  const std::string bf16 = folder.path("bf16.safetensors");
  const std::string int8 = folder.path("int8.safetensors");
  save_model(f32, config, tiny_words(), {}, random_parameters(config, 1.5F, 3),
             ModelUse(BeginPolicy::kBoundary, animals()));
  convert(Model::load(f32), Precision::kBf16, bf16);
  convert(Model::load(f32), Precision::kInt8, int8);
  return {f32, bf16, int8};
}

TEST(AnswersSaved, TheModelsOwnRuleGivesItsFileBitForBit) {
  const TemporaryFolder folder;
  for (const std::string& path : model_files(folder)) {
    const Model model = Model::load(path);
    save_with_rule(model, Classifier(model).rule(), folder.path("again"));
    EXPECT_EQ(read_file(folder.path("again")), read_file(path));
  }
}

TEST(AnswersSaved, AnotherRuleDecidesAndProbabilitiesStay) {
  const TemporaryFolder folder;
  const AnswerRule rule{.thresholds = {0, 0.25, 0.1}, .factors = {1, 1e-6, 3.5}};
  for (const std::string& path : model_files(folder)) {
    const Model model = Model::load(path);
    save_with_rule(model, rule, folder.path("tuned"));
    const Model tuned = Model::load(folder.path("tuned"));
    Classifier before(model);
    Classifier after(tuned);
    EXPECT_EQ(after.rule(), rule);
    EXPECT_EQ(tuned.precision(), model.precision());
    const ClassifiedText text = before.classify("the cat sees the dog");
    EXPECT_EQ(after.classify("the cat sees the dog").probabilities, text.probabilities);
    EXPECT_EQ(after.answers(text), answers_by(rule, text, false));
    save_with_rule(tuned, before.rule(), folder.path("undone"));
    EXPECT_EQ(Classifier(Model::load(folder.path("undone"))).rule(), before.rule());
  }
}

TEST(AnswersSaved, ThresholdsOfSetsAreStoredWithoutFactors) {
  const TemporaryFolder folder;
  const AnswerRule rule{.thresholds = {0.5, 0.25, 1}, .factors = {1, 1, 1}};
  save_with_rule(labels_model({}), rule, folder.path("tuned"));
  const Model tuned = Model::load(folder.path("tuned"));
  EXPECT_EQ(tuned.task().thresholds, rule.thresholds);
  EXPECT_TRUE(tuned.task().factors.empty());
}

TEST(AnswersSaved, RulesThatDoNotFitAreRefused) {
  const TemporaryFolder folder;
  const double infinity = std::numeric_limits<double>::infinity();
  for (const AnswerRule& rule : {AnswerRule{{0, 0}, {1, 1}}, AnswerRule{{0, 0, 2}, {1, 1, 1}},
                                 AnswerRule{{0, 0, 0}, {1, 0, 1}}, AnswerRule{{0, 0, 0}, {1, 1, infinity}}}) {
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "expected 3 of each",
                           [&] { save_with_rule(animals_model(), rule, folder.path("odd")); }));
  }
}

}  // namespace
}  // namespace unroll
