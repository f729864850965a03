#include "unroll/look/gradient_flow.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "support/error_of.h"
#include "support/linear_model.h"
#include "support/tiny_model.h"
#include "unroll/look/state_gradients.h"

namespace unroll {
namespace {

GradientFlow flow_of(const Model& model, const std::string& characters, const GradientFlowOptions& options,
                     StatePolicy state = StatePolicy::kCarry) {
  const UnrolledText text(model, {characters, "'text'"}, {.state = state, .threads = 1});
  return gradient_flow(text, options);
}

TEST(GradientFlow, OfALinearNetworkFallsByTheRadiusAtEachStep) {
  for (const double radius : {0.4, 0.9, 1.02}) {
    const GradientFlow flow = flow_of(linear_model(radius), random_text(150, 4), {.lags = 80, .positions = 20});
    for (const FlowLine& line : flow.lines) EXPECT_NEAR(line.per_step / radius, 1, 0.01) << radius;
    EXPECT_EQ(flow.predictions, 20);
    EXPECT_EQ(flow.lines.front().lags.size(), 81U);
    EXPECT_EQ(flow.lines.front().lags.front().median, 1);
  }
}

TEST(GradientFlow, SaysWhereAShareIsReached) {
  FlowLine line;
  for (std::int64_t lag = 0; lag <= 10; ++lag) {
    line.lags.push_back({.lag = lag, .count = 1, .median = std::pow(0.8, static_cast<double>(lag))});
  }
  EXPECT_NEAR(line.reaches(0.5).value(), std::log(0.5) / std::log(0.8), 1e-9);
  EXPECT_FALSE(line.reaches(0.01));
  line.lags.back().median = 0;
  EXPECT_EQ(line.reaches(0.01), 10);
}

TEST(GradientFlow, RefusesAStepThatPredictsNothing) {
  const UnrolledText text(tiny_model(Cell::kGru, tiny_characters()), {"ab\ncd", "'text'"},
                          {.state = StatePolicy::kReset, .begin = BeginPolicy::kNone, .threads = 1});
  std::int64_t at = 0;
  while (text.target(at) >= 0) ++at;
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "that step predicts no symbol", [&] { (void)gradient_flow(text, {.at = at}); }));
}

TEST(GradientFlow, OfOnePredictionIsThatOfStateGradients) {
  const Model model = tiny_model(Cell::kLstm, tiny_characters());
  const UnrolledText text(model, {random_text(20, 3), "'text'"}, {.state = StatePolicy::kCarry, .threads = 1});
  const GradientFlow flow = gradient_flow(text, {.lags = 12, .at = 14});
  EXPECT_EQ(flow.predictions, 1);
  StateGradients back(text, {{.step = 14}});
  double zero = 0;
  for (std::size_t lag = 0; lag <= 12; ++lag) {
    ASSERT_TRUE(back.next());
    double squares = 0;
    for (const float d : back.x(0)) squares += std::pow(std::ldexp(d, back.exponent(0)), 2);
    if (lag == 0) zero = std::sqrt(squares);
    const FlowLine& input = flow.lines.back();
    EXPECT_NEAR(input.lags[lag].median * input.norm, std::sqrt(squares), 1e-9 * zero);
    EXPECT_EQ(input.lags[lag].lower, input.lags[lag].upper);
  }
}

TEST(GradientFlow, HasTheLinesOfACell) {
  const auto kinds = [](Cell cell) {
    std::vector<std::pair<FlowOf, std::int64_t>> found;
    for (const FlowLine& line : flow_of(tiny_model(cell, tiny_characters()), "abcdefgh", {.lags = 3}).lines) {
      found.emplace_back(line.of, line.layer);
      EXPECT_EQ(line.lags.size(), 4U);
    }
    return found;
  };
  using enum FlowOf;
  EXPECT_EQ(kinds(Cell::kGru),
            (std::vector<std::pair<FlowOf, std::int64_t>>{{kState, 0}, {kHidden, 0}, {kHidden, 1}, {kInput, 0}}));
  EXPECT_EQ(kinds(Cell::kLstm), (std::vector<std::pair<FlowOf, std::int64_t>>{{kState, 0},
                                                                              {kHidden, 0},
                                                                              {kCell, 0},
                                                                              {kLayerState, 0},
                                                                              {kHidden, 1},
                                                                              {kCell, 1},
                                                                              {kLayerState, 1},
                                                                              {kInput, 0}}));
}

TEST(GradientFlow, LooksAtPredictionsWithEnoughStepsBeforeThem) {
  const Model model = tiny_model(Cell::kGru, tiny_characters());
  const auto positions = [&](const std::string& characters, const GradientFlowOptions& options, StatePolicy state) {
    return flow_positions(UnrolledText(model, {characters, "'text'"}, {.state = state, .threads = 1}), options);
  };
  using Steps = std::vector<std::int64_t>;
  EXPECT_EQ(positions("abcdefgh", {.lags = 3, .positions = 3}, StatePolicy::kCarry), (Steps{3, 5, 7}));
  EXPECT_EQ(positions("abcdefgh", {.lags = 100, .positions = 2}, StatePolicy::kCarry), (Steps{6, 7}));
  EXPECT_EQ(positions("ab\nabcd\na", {.lags = 3, .positions = 2}, StatePolicy::kReset), (Steps{6, 7}));
  EXPECT_EQ(positions("abcdefgh", {.at = 4}, StatePolicy::kCarry), (Steps{4}));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "the steps 0 to 7",
                         [&] { (void)positions("abcdefgh", {.at = 8}, StatePolicy::kCarry); }));
  EXPECT_TRUE(
      fails_with(ErrorCode::kUsage, "`lags` is 0", [&] { (void)positions("abc", {.lags = 0}, StatePolicy::kCarry); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`positions` is 0",
                         [&] { (void)positions("abc", {.positions = 0}, StatePolicy::kCarry); }));
}

TEST(GradientFlow, OfALineEndsWithTheLine) {
  const GradientFlow flow =
      flow_of(tiny_model(Cell::kLstm, tiny_characters()), "abc\nabcd\nabc\n", {.lags = 50}, StatePolicy::kReset);
  EXPECT_EQ(flow.lines.front().lags.size(), 5U);
  EXPECT_LT(flow.lines.front().lags.back().count, flow.lines.front().lags.front().count);
}

}  // namespace
}  // namespace unroll
