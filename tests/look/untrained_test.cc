#include "unroll/look/untrained.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unroll/look/dynamics.h"
#include "unroll/look/gradient_flow.h"

namespace unroll {
namespace {

// The median of what is left of a gradient, by lag.
FlowLine flow_of(const UntrainedNetwork& network, std::int64_t lags) {
  const UnrolledText text(untrained_model(tiny_characters(), network), {random_text(200, 5), "'text'"},
                          {.state = StatePolicy::kCarry, .threads = 1});
  return gradient_flow(text, {.lags = lags, .positions = 32}).lines.front();
}

double left_after_20(const UntrainedNetwork& network) { return flow_of(network, 20).lags.back().median; }

TEST(UntrainedModel, HasTheRadiusInEachGate) {
  for (const Cell cell : all_cells()) {
    if (!has_recurrent_weights(cell)) continue;
    const Model model = untrained_model(tiny_characters(), {.cell = cell, .hidden = 31, .radius = 1.3});
    const std::vector<RecurrentRadius> radii = recurrent_radii(model);
    EXPECT_EQ(std::ssize(radii), gate_count(cell));
    for (const RecurrentRadius& one : radii) EXPECT_NEAR(one.radius, 1.3, 0.005) << cell_name(cell);
  }
  const Model none = untrained_model(tiny_characters(), {.cell = Cell::kGru, .hidden = 3, .radius = 0});
  EXPECT_EQ(recurrent_radii(none).front().radius, 0);
}

// Small inputs keep tanh close to where it is linear. The first lags depend on all eigenvalues, the later ones on the
// largest.
TEST(UntrainedModel, OfTanhLosesGradientsByItsRadius) {
  for (const double radius : {0.5, 0.8}) {
    const FlowLine line = flow_of({.cell = Cell::kRnnTanh, .hidden = 32, .radius = radius}, 140);
    const double slope = std::log(line.lags[140].median / line.lags[60].median) / 80;
    EXPECT_NEAR(std::exp(slope) / radius, 0.98, 0.02);
  }
}

// Measured of networks of 128 units; an order of magnitude is what tells them apart.
TEST(UntrainedModel, KeepsGradientsAsItsBeginningSays) {
  const auto near = [](double measured, const UntrainedNetwork& network) {
    const double left = left_after_20(network);
    EXPECT_GT(left, measured / 2.5) << cell_name(network.cell);
    EXPECT_LT(left, measured * 2.5) << cell_name(network.cell);
  };
  near(1.8e-5, {.cell = Cell::kRnnTanh});
  near(0.29, {.cell = Cell::kRnnTanh, .radius = 1});
  near(7.8e-5, {.cell = Cell::kGru});
  near(2.4e-5, {.cell = Cell::kLstm, .forget_bias = 0});
  near(1.2e-2, {.cell = Cell::kLstm});
  near(0.3, {.cell = Cell::kLstm, .forget_bias = 3});
  EXPECT_EQ(left_after_20({.hidden = 8}), left_after_20({.hidden = 8, .forget_bias = 1}));
  EXPECT_NE(left_after_20({.hidden = 8}), left_after_20({.hidden = 8, .seed = 2}));
}

TEST(UntrainedModel, KeepsMoreWithABiasInEveryCellWithGates) {
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kGruResetBefore, Cell::kMinGru, Cell::kMinLstm}) {
    const double less = left_after_20({.cell = cell, .hidden = 16, .forget_bias = 0});
    EXPECT_GT(left_after_20({.cell = cell, .hidden = 16, .forget_bias = 3}), 10 * less) << cell_name(cell);
  }
}

TEST(UntrainedModel, RefusesWhatItsCellDoesNotHave) {
  const auto refuses = [](const char* words, const UntrainedNetwork& network) {
    return fails_with(ErrorCode::kUsage, words, [&] { (void)untrained_model(tiny_characters(), network); });
  };
  EXPECT_TRUE(refuses("`radius` is given, but min-gru has no W", {.cell = Cell::kMinGru, .radius = 1}));
  EXPECT_TRUE(refuses("`forget_bias` is given, but rnn-tanh has no gates", {.cell = Cell::kRnnTanh, .forget_bias = 1}));
  EXPECT_TRUE(refuses("`radius` is -1: expected 0 to 100", {.radius = -1}));
  EXPECT_TRUE(refuses("`radius` is nan", {.radius = std::nan("")}));
  EXPECT_TRUE(refuses("`forget_bias` is 1000: expected -100 to 100", {.forget_bias = 1000}));
  EXPECT_TRUE(refuses("`hidden` is 0", {.hidden = 0}));
}

}  // namespace
}  // namespace unroll
