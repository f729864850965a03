// Training of models whose texts begin with nothing read, and from models with vocabularies of other programs.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/error_of.h"
#include "support/small_run.h"
#include "support/tiny_model.h"
#include "unroll/begin_policy.h"
#include "unroll/error.h"
#include "unroll/evaluate.h"
#include "unroll/model.h"
#include "unroll/train.h"

namespace unroll {
namespace {

class TrainBegin : public SmallRun {
 protected:
  TrainOptions given(StatePolicy state, const std::string& name = "model") {
    TrainOptions options = small(name);
    options.text.begin = BeginPolicy::kNone;
    options.text.state = state;
    options.run.steps = 40;
    return options;
  }
};

Evaluation evaluated(const Model& model, const std::string& text, std::optional<BeginPolicy> begin = {}) {
  return evaluate(model, {text, "text"}, {.begin = begin, .threads = 1});
}

TEST_F(TrainBegin, IsKeptByTheModelAndValidatedAsEvaluateDoes) {
  const std::string valid = some_text(150).substr(some_text().size());
  write_bytes(folder_.path("valid"), valid);
  for (const StatePolicy state : {StatePolicy::kCarry, StatePolicy::kReset}) {
    TrainOptions options = given(state);
    options.text.valid = folder_.path("valid");
    options.files.overwrite = true;
    std::int64_t valid_tokens = 0;
    const TrainResult result =
        train(options, {.on_plan = [&](const TrainPlan& plan) { valid_tokens = plan.valid_tokens; }});
    const Model model = Model::load(options.files.save);
    EXPECT_EQ(model.begin_policy(), BeginPolicy::kNone);
    const Evaluation evaluation = evaluated(model, valid);
    EXPECT_EQ(evaluation.nats_per_token, result.best_valid_nats_per_token);
    EXPECT_EQ(evaluation.begin, BeginPolicy::kNone);
    EXPECT_EQ(evaluation.tokens, valid_tokens);
    const Evaluation whole = evaluated(model, valid, BeginPolicy::kBoundary);
    EXPECT_EQ(whole.tokens - evaluation.tokens, state == StatePolicy::kCarry ? 1 : 30);
  }
}

// Names whose first letters are random: what cannot be predicted is not there to be learned.
TEST_F(TrainBegin, LearnsWhatFollowsTheGivenSymbolFromTheZeroState) {
  std::string names;
  for (int i = 0; i < 200; ++i) names += std::string(1, static_cast<char>('a' + i * 7 % 26)) + "xyz\n";
  write_bytes(folder_.path("names"), names);
  TrainOptions options = given(StatePolicy::kReset);
  options.text.paths = {folder_.path("names")};
  options.text.valid_split = 0;
  options.run.steps = 150;
  options.run.lr = 0.03;
  train(options);
  const Model model = Model::load(options.files.save);
  EXPECT_LT(evaluated(model, names).nats_per_token, 0.1);
  EXPECT_GT(evaluated(model, names, BeginPolicy::kBoundary).nats_per_token, 0.5);
}

TEST_F(TrainBegin, InterruptedAndResumedIsTheSameFile) {
  for (const StatePolicy state : {StatePolicy::kCarry, StatePolicy::kReset}) {
    TrainOptions options = given(state);
    options.files.overwrite = true;
    EXPECT_EQ(trained_in_parts(options), trained(options));
  }
}

TEST_F(TrainBegin, IsResumedOnlyAsItBegan) {
  TrainOptions options = given(StatePolicy::kCarry);
  bool stepped = false;
  train(options, {.on_step = [&](const StepReport&) { stepped = true; }, .stop_requested = [&] { return stepped; }});
  options.files.resume = true;
  options.text.begin = BeginPolicy::kBoundary;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`text.begin` is not set now and was none", [&] { train(options); }));
  options.text.begin = BeginPolicy::kNone;
  EXPECT_FALSE(train(options).interrupted);
}

TEST_F(TrainBegin, WithTheBoundaryIsTheFileOfBefore) {
  TrainOptions options = small();
  const std::string before = trained(options);
  options.text.begin = BeginPolicy::kBoundary;
  options.files.overwrite = true;
  EXPECT_EQ(trained(options), before);
}

TEST_F(TrainBegin, ContinuesFromAModelAsThatOneBegan) {
  train(given(StatePolicy::kReset, "first"));
  TrainOptions options = small("second");
  options.files.from = folder_.path("first");
  train(options);
  EXPECT_EQ(Model::load(options.files.save).begin_policy(), BeginPolicy::kNone);
  options.text.begin = BeginPolicy::kBoundary;
  options.files.overwrite = true;
  train(options);
  EXPECT_EQ(Model::load(options.files.save).begin_policy(), BeginPolicy::kBoundary);
}

// Without a line end lines are learned by themselves; without "<unk>" another symbol is an error that says where.
TEST_F(TrainBegin, ContinuesFromAModelWithoutUnkAndLineEnd) {
  const Tokenizer tokenizer = Tokenizer::from_vocabulary(TokenizerKind::kChar, false, {"a", "b", "c", "d"});
  const NetworkConfig config = tiny_config(Cell::kGru, tokenizer);
  save_model(folder_.path("foreign"), config, tokenizer, {}, random_parameters(config, 0.7F, 3), BeginPolicy::kNone);
  std::string text;
  for (int i = 0; i < 60; ++i) text += i % 2 == 0 ? "abab\n" : "dcdcdc\n";
  write_bytes(folder_.path("text"), text);
  text_written_ = true;
  TrainOptions options = small();
  options.files.from = folder_.path("foreign");
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`text.state` is carry", [&] { train(options); }));
  options.text.state = StatePolicy::kReset;
  options.run.lr = 0.03;
  const TrainResult result = train(options);
  const Model model = Model::load(options.files.save);
  EXPECT_EQ(model.tokenizer().boundary(), -1);
  EXPECT_LT(*result.best_valid_nats_per_token, 0.3);
  write_bytes(folder_.path("text"), text + "abxa\n");
  options.files.overwrite = true;
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "line 61, column 3: the character \"x\"", [&] { train(options); }));
}

TEST_F(TrainBegin, RefusesATextOfGivenSymbols) {
  TrainOptions options = given(StatePolicy::kReset);
  write_bytes(folder_.path("blank"), "ab\n" + std::string(400, '\n'));
  options.text.paths = {folder_.path("blank")};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "the text to validate on has nothing to predict: `text.begin` is none",
                         [&] { train(options); }));
  options.text.valid_split = 0;
  train(options);  // two predictions, in one window of many
  EXPECT_EQ(Model::load(options.files.save).training().history.back().step, 40);
}

}  // namespace
}  // namespace unroll
