#include "unroll/look/state_gradients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "support/nudged_run.h"
#include "support/tiny_model.h"

namespace unroll {
namespace {

constexpr double kTolerance = 1e-5;

NetworkConfig small_config(Cell cell) {
  return {.cell = cell, .vocabulary = tiny_characters().size(), .embed = 3, .hidden = 5, .layers = 2};
}

// A text unrolled, and the same network in plain loops.
struct Compared {
  explicit Compared(const NetworkConfig& config, const std::string& characters = "abcdefgh",
                    StatePolicy state = StatePolicy::kCarry)
      : text(model_of(config, tiny_characters(), random_parameters(config, 0.9F, 7)), {characters, "'text'"},
             {.state = state, .threads = 1}),
        reference(text, random_parameters(config, 0.9F, 7)) {}

  // How far a vector of prediction i is from the numeric one.
  [[nodiscard]] double error(const StateGradients& back, std::int64_t i, std::span<const float> held,
                             const std::vector<double>& expected) const {
    std::vector<double> found;
    for (const float value : held) found.push_back(std::ldexp(static_cast<double>(value), back.exponent(i)));
    return ref::relative_error(std::span<const double>(found), std::span<const double>(expected));
  }

  UnrolledText text;
  NudgedRun reference;
};

std::vector<float> sum_of(std::span<const float> a, std::span<const float> b) {
  std::vector<float> sum(a.begin(), a.end());
  for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += b[j];
  return sum;
}

// Compares every gradient of two predictions at every lag, side by side.
void expect_numeric_gradients(const NetworkConfig& config) {
  SCOPED_TRACE(cell_name(config.cell));
  const Compared both(config);
  const std::vector<ChosenPrediction> predictions{{.step = 6}, {.step = 3, .symbol = 4}};
  StateGradients back(both.text, predictions);
  while (back.next()) {
    for (std::int64_t i = 0; i < 2; ++i) {
      if (!back.has(i)) continue;
      const std::int64_t t = predictions[static_cast<std::size_t>(i)].step;
      const std::int32_t symbol = i == 0 ? both.text.target(t) : 4;
      const auto numeric = [&](Nudged what, std::int64_t layer) {
        return both.reference.derivatives(t, symbol, {.what = what, .step = t - back.lag(), .layer = layer});
      };
      EXPECT_LT(both.error(back, i, back.x(i), numeric(Nudged::kInput, 0)), kTolerance) << back.lag();
      double squares = 0;
      for (std::int64_t l = 0; l < config.layers; ++l) {
        EXPECT_LT(both.error(back, i, back.h(l, i), numeric(Nudged::kHidden, l)), kTolerance) << back.lag();
        for (const double value : numeric(Nudged::kCarriedHidden, l)) squares += value * value;
        if (!has_cell_state(config.cell)) continue;
        if (back.lag() > 0) {
          EXPECT_LT(both.error(back, i, back.c(l, i), numeric(Nudged::kCell, l)), kTolerance) << back.lag();
        }
        const std::vector<float> whole = sum_of(back.c(l, i), back.through_h(l, i));
        EXPECT_LT(both.error(back, i, whole, numeric(Nudged::kWholeCell, l)), kTolerance) << back.lag();
        for (const double value : numeric(Nudged::kCell, l)) squares += value * value;
      }
      if (back.lag() > 0) {
        EXPECT_NEAR(back.ln_carried_norm(i), std::log(squares) / 2, kTolerance);
      }
    }
  }
  EXPECT_EQ(back.lag(), 7);
}

TEST(StateGradients, EqualNumericProductsOfJacobiansInEveryCell) {
  for (const Cell cell : all_cells()) expect_numeric_gradients(small_config(cell));
}

TEST(StateGradients, EqualThemWithLayerNormalisationResidualsAndProjection) {
  NetworkConfig config = small_config(Cell::kLstm);
  config.layer_norm = true;
  config.residual = true;
  config.tied = true;
  expect_numeric_gradients(config);
  config.cell = Cell::kGru;
  expect_numeric_gradients(config);
}

TEST(StateGradients, AreFarFromNumericOnesWithAMistake) {
  const Compared both(small_config(Cell::kLstm));
  StateGradients back(both.text, {{.step = 6}});
  for (int lag = 0; lag <= 2; ++lag) ASSERT_TRUE(back.next());
  const auto numeric = [&](Nudged what, std::int64_t step, std::int64_t layer) {
    return both.reference.derivatives(6, both.text.target(6), {.what = what, .step = step, .layer = layer});
  };
  constexpr double kMistake = 100 * kTolerance;
  EXPECT_GT(both.error(back, 0, back.h(1, 0), numeric(Nudged::kHidden, 3, 1)), kMistake);         // a step too far
  EXPECT_GT(both.error(back, 0, back.h(1, 0), numeric(Nudged::kHidden, 4, 0)), kMistake);         // another layer
  EXPECT_GT(both.error(back, 0, back.h(0, 0), numeric(Nudged::kCarriedHidden, 4, 0)), kMistake);  // no layer above
  EXPECT_GT(both.error(back, 0, back.c(0, 0), numeric(Nudged::kWholeCell, 4, 0)), kMistake);      // not through h
}

TEST(StateGradients, EndWhereALineBegins) {
  const Compared both(small_config(Cell::kGru), "abc\ndefg", StatePolicy::kReset);
  // Steps 4 and on are those of the second line.
  StateGradients back(both.text, {{.step = 6}, {.step = 2}});
  std::vector<std::int64_t> counted{0, 0};
  while (back.next()) {
    for (std::int64_t i = 0; i < 2; ++i) counted[static_cast<std::size_t>(i)] += back.has(i) ? 1 : 0;
    if (!back.has(0)) continue;
    const auto numeric = both.reference.derivatives(6, both.text.target(6), {.step = 6 - back.lag(), .layer = 1});
    EXPECT_LT(both.error(back, 0, back.h(1, 0), numeric), kTolerance);
  }
  EXPECT_EQ(counted, (std::vector<std::int64_t>{3, 3}));
}

TEST(StateGradients, DoNotDependOnOtherPredictions) {
  const Compared both(small_config(Cell::kLstm));
  StateGradients alone(both.text, {{.step = 5, .symbol = 2}});
  StateGradients among(both.text, {{.step = 7}, {.step = 5, .symbol = 3}, {.step = 5, .symbol = 2}, {.step = 0}});
  while (alone.next()) {
    ASSERT_TRUE(among.next());
    EXPECT_TRUE(std::ranges::equal(alone.h(0, 0), among.h(0, 2)));
    EXPECT_TRUE(std::ranges::equal(alone.x(0), among.x(2)));
  }
}

TEST(StateGradients, NeitherVanishNorOverflowOverALongText) {
  NetworkConfig config = small_config(Cell::kRnnTanh);
  for (const float scale : {0.05F, 3.0F}) {
    config.layers = 1;
    Parameters parameters = random_parameters(config, 0.01F, 5);
    for (std::int64_t j = 0; j < config.hidden; ++j) parameters.layer(0).W(j, (j + 1) % config.hidden) = scale;
    // The states stay near zero, where tanh is the identity.
    for (float& value : parameters.encoder().flat()) value = 0;
    for (float& value : parameters.layer(0).b_input) value = 0;
    for (float& value : parameters.layer(0).b_hidden) value = 0;
    const UnrolledText text(model_of(config, tiny_characters(), std::move(parameters)), {random_text(200, 3), "'text'"},
                            {.state = StatePolicy::kCarry, .threads = 1});
    StateGradients back(text, {{.step = 199}});
    double before = 0;
    while (back.next()) {
      if (back.lag() > 1) {
        EXPECT_NEAR(back.ln_carried_norm(0) - before, std::log(scale), 0.2) << back.lag();
      }
      before = back.ln_carried_norm(0);
    }
    EXPECT_EQ(back.lag(), 200);
  }
}

TEST(StateGradients, RefuseStepsAndSymbolsThatAreNotThere) {
  const Compared both(small_config(Cell::kGru));
  const auto asks = [&](ChosenPrediction prediction) {
    return [&both, prediction] { StateGradients(both.text, {prediction}); };
  };
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`step` is 8: expected 0 to 7", asks({.step = 8})));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`symbol` is 99", asks({.step = 1, .symbol = 99})));
}

}  // namespace
}  // namespace unroll
