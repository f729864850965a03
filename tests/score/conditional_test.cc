#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "network/ref/network.h"
#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unroll/generator.h"
#include "unroll/scorer.h"

namespace unroll {
namespace {

// Characters given one of three labels.
class Conditional : public ::testing::TestWithParam<Cell> {
 protected:
  Conditional() : tokenizer_(tiny_characters()), config_(tiny_config(GetParam(), tokenizer_)) {
    config_.conditions = 3;
    const Task task{.kind = TaskKind::kConditional, .labels = {"cats", "dogs", "old ones"}};
    Parameters parameters = random_parameters(config_, 0.7F, 4);
    for (const ParameterTensor& tensor : parameters.tensors()) {
      for (const float value : parameters.values(tensor)) values_.push_back(static_cast<double>(value));
    }
    model_ = std::make_unique<Model>(std::make_shared<const Model::Data>(
        Model::Data{config_, tokenizer_, {}, ModelWeights(std::move(parameters)), {BeginPolicy::kBoundary, task}}));
  }

  // -ln p of the ids in plain loops, from the state of a label.
  double expected(std::int32_t label, std::vector<std::int32_t> ids) const {
    const std::int32_t boundary = tokenizer_.boundary();
    std::vector<std::int32_t> inputs{boundary};
    inputs.insert(inputs.end(), ids.begin(), ids.end());
    ids.push_back(boundary);
    Window conditions;
    conditions.conditions = {label};
    ref::Window<double> window;
    window.T = std::ssize(ids);
    window.B = 1;
    window.inputs = inputs;
    window.targets = ids;
    window.task = &conditions;
    const std::vector<ref::State<double>> state0(static_cast<std::size_t>(config_.layers),
                                                 ref::zero_state<double>(config_.cell, 1, config_.hidden));
    std::vector<ref::State<double>> state1;
    ref::NetworkTape<double> tape;
    return static_cast<double>(ids.size()) *
           ref::network_forward(config_, ref::network_params(config_, values_.data()), window, state0, tape, state1);
  }

  Tokenizer tokenizer_;
  NetworkConfig config_;
  std::vector<double> values_;
  std::unique_ptr<Model> model_;
};

INSTANTIATE_TEST_SUITE_P(Cells, Conditional, ::testing::Values(Cell::kLstm, Cell::kGru, Cell::kMinLstm));

TEST_P(Conditional, ScoresAreThoseOfPlainLoopsFromTheStateOfTheLabel) {
  Scorer cats(*model_, {.label = "cats"});
  Scorer old(*model_, {.label = "old ones"});
  EXPECT_NEAR(cats.score("abc").log_prob, -expected(0, {3, 4, 5}), 1e-5);
  EXPECT_NEAR(old.score("abc").log_prob, -expected(2, {3, 4, 5}), 1e-5);
  EXPECT_NE(cats.score("abc").log_prob, old.score("abc").log_prob);
}

TEST_P(Conditional, ALineHasTheSameBitsAloneAmongOthersAndStepByStep) {
  Scorer scorer(*model_, {.threads = 2, .label = "dogs"});
  std::vector<std::string> lines{"", "abc", std::string(200, 'b') + "cab", "h", "a b c d"};
  for (int i = 0; i < 70; ++i) lines.push_back(std::string(static_cast<std::size_t>(i), 'c'));
  const std::vector<Score> together = scorer.score(lines);
  Scorer one(*model_, {.threads = 1, .label = "dogs"});
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(one.score(lines[i]).log_prob, together[i].log_prob) << i;
  State state = one.initial_state();
  double sum = 0;
  for (const std::int32_t id : {3, 4, 5, 1}) sum += one.step(state, id);
  EXPECT_EQ(sum, together[1].log_prob);
}

TEST_P(Conditional, GeneratorWritesOneTextToItsEnd) {
  const auto text_of = [&](const std::string& label, std::uint64_t seed) {
    Generator generator(*model_, {.seed = seed, .label = label});
    std::string text;
    const Finish finish = generator.write("", 5000, [&](std::string_view piece) {
      text += piece;
      return true;
    });
    EXPECT_EQ(finish, Finish::kEnd);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    return text;
  };
  bool differ = false;
  for (std::uint64_t seed = 1; seed < 20; ++seed) differ = differ || text_of("cats", seed) != text_of("dogs", seed);
  EXPECT_TRUE(differ);
  EXPECT_EQ(text_of("cats", 3), text_of("cats", 3));
}

TEST_P(Conditional, LabelsThatAreMissingUnknownOrOutOfPlaceAreRefused) {
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`label` is missing: expected a label of the model: cats, dogs, old ones",
                         [&] { Scorer scorer(*model_); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`label` is \"birds\"", [&] { Generator(*model_, {.label = "birds"}); }));
  const Model plain = tiny_model(GetParam(), tokenizer_);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "the model knows no labels", [&] { Generator(plain, {.label = "cats"}); }));
  ScorerOptions carried{.label = "cats"};
  carried.accounting.state = StatePolicy::kCarry;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "lines are read by themselves", [&] { Scorer scorer(*model_, carried); }));
}

}  // namespace
}  // namespace unroll
