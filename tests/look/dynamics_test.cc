#include "unroll/look/dynamics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "look/spectra.h"
#include "support/error_of.h"
#include "support/linear_model.h"
#include "support/nudged_run.h"
#include "support/tiny_model.h"

namespace unroll {
namespace {

double frobenius_norm(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum);
}

TEST(Spectra, OfMatricesWhoseValuesAreKnown) {
  // Turns by 0.7 and stretches by 0.8; and one that only shifts.
  const double c = 0.8 * std::cos(0.7);
  const double s = 0.8 * std::sin(0.7);
  EXPECT_NEAR(spectral_radius({2, {c, -s, s, c}}), 0.8, 1e-9);
  EXPECT_NEAR(spectral_radius({2, {c, -4 * s, s / 4, c}}), 0.8, 0.004);
  EXPECT_EQ(spectral_radius({2, {0, 5, 0, 0}}), 0);
  EXPECT_NEAR(largest_singular_value({2, {0, 5, 0, 0}}), 5, 1e-9);
  EXPECT_NEAR(spectral_radius({3, {2, 1, 0, 0, -3, 1, 0, 0, 1}}), 3, 1e-9);
  EXPECT_EQ(spectral_radius({1, {0}}), 0);
}

TEST(UnitMemory, IsTheDiagonalOfProductsOfJacobians) {
  for (const Cell cell : all_cells()) {
    SCOPED_TRACE(cell_name(cell));
    const NetworkConfig config{
        .cell = cell, .vocabulary = tiny_characters().size(), .embed = 3, .hidden = 5, .layers = 2};
    const Parameters parameters = random_parameters(config, 0.9F, 7);
    const UnrolledText text(model_of(config, tiny_characters(), random_parameters(config, 0.9F, 7)),
                            {"abcdef", "'text'"}, {.state = StatePolicy::kCarry, .threads = 1});
    const std::vector<double> last = NudgedRun(text, parameters).jacobian(4);
    const std::vector<double> before = NudgedRun(text, parameters).jacobian(3);
    const std::size_t S = has_cell_state(cell) ? 20 : 10;
    const std::size_t place = has_cell_state(cell) ? 5 + 2 : 2;  // of unit 2 of layer 0
    const std::vector<double> kept = unit_memory(text, 0, 2, 4, 2);
    double two_steps = 0;
    for (std::size_t k = 0; k < S; ++k) two_steps += last[place * S + k] * before[k * S + place];
    ASSERT_EQ(kept.size(), 3U);
    EXPECT_EQ(kept[0], 1);
    EXPECT_NEAR(kept[1], last[place * S + place], 1e-4);
    EXPECT_NEAR(kept[2], two_steps, 1e-4);
    EXPECT_EQ(unit_memory(text, 1, 0, 4, 100).size(), 5U);
  }
}

TEST(StepJacobians, EqualNumericOnesInEveryCell) {
  for (const Cell cell : all_cells()) {
    SCOPED_TRACE(cell_name(cell));
    NetworkConfig config{.cell = cell, .vocabulary = tiny_characters().size(), .embed = 3, .hidden = 5, .layers = 2};
    config.residual = cell == Cell::kLstm;
    const Parameters parameters = random_parameters(config, 0.9F, 7);
    const UnrolledText text(model_of(config, tiny_characters(), random_parameters(config, 0.9F, 7)),
                            {"abcdef", "'text'"}, {.state = StatePolicy::kCarry, .threads = 1});
    const std::vector<double> numeric = NudgedRun(text, parameters).jacobian(4);
    const std::vector<double> of_another_step = NudgedRun(text, parameters).jacobian(3);
    const StepJacobian found = step_jacobians(text, {4}).front();
    const SquareMatrix expected{.n = static_cast<std::int64_t>(std::sqrt(numeric.size())), .values = numeric};
    EXPECT_NEAR(found.frobenius / frobenius_norm(numeric), 1, 1e-5);
    EXPECT_NEAR(found.largest / largest_singular_value(expected), 1, 1e-5);
    EXPECT_NEAR(found.radius, spectral_radius(expected), 1e-3 * found.largest);
    EXPECT_LE(found.radius, found.largest * 1.001);
    EXPECT_GT(std::fabs(found.frobenius / frobenius_norm(of_another_step) - 1), 1e-3);
  }
}

TEST(StepJacobians, AreZeroWhereALineBegins) {
  const UnrolledText text(tiny_model(Cell::kGru, tiny_characters()), {"abc\ndef", "'text'"},
                          {.state = StatePolicy::kReset, .threads = 1});
  EXPECT_EQ(step_jacobians(text, {4}).front().frobenius, 0);
  EXPECT_GT(step_jacobians(text, {5}).front().frobenius, 0);
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "`step` is 7", [&] { (void)step_jacobians(text, {7}); }));
  EXPECT_FALSE(largest_lyapunov_exponent(text));
}

TEST(Dynamics, OfALinearNetworkAreItsRadius) {
  for (const double radius : {0.5, 0.95, 1.02}) {
    const Model model = linear_model(radius);
    const UnrolledText text(model, {random_text(150, 4), "'text'"}, {.state = StatePolicy::kCarry, .threads = 1});
    EXPECT_NEAR(recurrent_radii(model).front().radius / radius, 1, 1e-5);
    EXPECT_NEAR(step_jacobians(text, {70}).front().radius / radius, 1, 1e-5);
    EXPECT_NEAR(std::exp(largest_lyapunov_exponent(text).value()) / radius, 1, 0.01);
  }
}

TEST(Dynamics, RadiiAreThoseOfEachGate) {
  const std::vector<RecurrentRadius> radii = recurrent_radii(tiny_model(Cell::kGru, tiny_characters()));
  std::string gates;
  for (const RecurrentRadius& one : radii) gates += one.gate;
  EXPECT_EQ(gates, "rznrzn");
  EXPECT_EQ(radii.back().layer, 1);
  EXPECT_TRUE(recurrent_radii(tiny_model(Cell::kMinGru, tiny_characters())).empty());
}

TEST(GateSaturation, CountsGatesNearTheirEnds) {
  const NetworkConfig config = tiny_config(Cell::kLstm, tiny_characters());
  Parameters parameters = random_parameters(config, 0.1F, 3);
  const std::int64_t H = config.hidden;
  for (std::int64_t j = 0; j < H; ++j) {
    parameters.layer(1).b_input[static_cast<std::size_t>(j)] = -9;                                 // i
    parameters.layer(1).b_input[static_cast<std::size_t>(H + j)] = 9;                              // f
    parameters.layer(1).b_input[static_cast<std::size_t>(2 * H + j)] = j % 2 == 0 ? -9.0F : 0.0F;  // g
  }
  const UnrolledText text(model_of(config, tiny_characters(), std::move(parameters)), {"abcdef", "'text'"},
                          {.state = StatePolicy::kCarry, .threads = 1});
  const std::vector<GateSaturation> all = gate_saturation(text);
  ASSERT_EQ(all.size(), 8U);
  const auto expect = [&](std::size_t at, char gate, double low, double high) {
    EXPECT_EQ(all[at].gate, gate);
    EXPECT_EQ(all[at].low, low) << gate;
    EXPECT_EQ(all[at].high, high) << gate;
  };
  expect(3, 'o', 0, 0);
  expect(4, 'i', 1, 0);
  expect(5, 'f', 0, 1);
  expect(6, 'g', 4.0 / 7, 0);
}

TEST(GateSaturation, OfCellsWithoutGatesIsThatOfTheirOutputs) {
  const auto letters = [](Cell cell) {
    const UnrolledText text(tiny_model(cell, tiny_characters()), {"abc", "'text'"},
                            {.state = StatePolicy::kCarry, .threads = 1});
    std::string gates;
    for (const GateSaturation& one : gate_saturation(text)) gates += one.gate;
    return gates;
  };
  EXPECT_EQ(letters(Cell::kRnnTanh), "hh");
  EXPECT_EQ(letters(Cell::kMinLstm), "fifi");
  EXPECT_EQ(letters(Cell::kGru), "rznrzn");
}

}  // namespace
}  // namespace unroll
