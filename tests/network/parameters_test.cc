#include "network/parameters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "support/error_of.h"
#include "unroll/regularization.h"

namespace unroll {
namespace {

const NetworkConfig kLstmConfig{.cell = Cell::kLstm, .vocabulary = 7, .embed = 5, .hidden = 3, .layers = 2};

using NamesAndShapes = std::vector<std::pair<std::string, std::vector<std::int64_t>>>;

NamesAndShapes names_and_shapes(const NetworkConfig& config) {
  NamesAndShapes result;
  for (const ParameterTensor& tensor : parameter_tensors(config)) result.emplace_back(tensor.name, tensor.shape);
  return result;
}

TEST(Parameters, AreNamedShapedAndOrderedAsPyTorchsStateDict) {
  const NamesAndShapes expected = {
      {"encoder.weight", {7, 5}},    {"rnn.weight_ih_l0", {12, 5}}, {"rnn.weight_hh_l0", {12, 3}},
      {"rnn.bias_ih_l0", {12}},      {"rnn.bias_hh_l0", {12}},      {"rnn.weight_ih_l1", {12, 3}},
      {"rnn.weight_hh_l1", {12, 3}}, {"rnn.bias_ih_l1", {12}},      {"rnn.bias_hh_l1", {12}},
      {"decoder.weight", {7, 3}},    {"decoder.bias", {7}},
  };
  EXPECT_EQ(names_and_shapes(kLstmConfig), expected);
}

TEST(Parameters, HoldTiedWeightsOnce) {
  NetworkConfig config = kLstmConfig;
  config.embed = config.hidden;
  config.tied = true;
  config.layers = 1;
  config.cell = Cell::kGru;
  const NamesAndShapes expected = {{"encoder.weight", {7, 3}},   {"rnn.weight_ih_l0", {9, 3}},
                                   {"rnn.weight_hh_l0", {9, 3}}, {"rnn.bias_ih_l0", {9}},
                                   {"rnn.bias_hh_l0", {9}},      {"decoder.bias", {7}}};
  EXPECT_EQ(names_and_shapes(config), expected);
  const Parameters parameters(config);
  EXPECT_EQ(parameters.decoder().data, parameters.encoder().data);
  EXPECT_EQ(parameters.decoder().rows, 7);
  EXPECT_EQ(parameters.decoder().cols, 3);
  EXPECT_EQ(parameters.decoder_bias().data(), parameters.values(parameters.tensors().back()).data());
}

TEST(Parameters, LackRecurrentWeightsForCellsWithoutThem) {
  NetworkConfig config = kLstmConfig;
  config.cell = Cell::kMinGru;
  const NamesAndShapes expected = {
      {"encoder.weight", {7, 5}}, {"rnn.weight_ih_l0", {6, 5}}, {"rnn.bias_ih_l0", {6}}, {"rnn.weight_ih_l1", {6, 3}},
      {"rnn.bias_ih_l1", {6}},    {"decoder.weight", {7, 3}},   {"decoder.bias", {7}},
  };
  EXPECT_EQ(names_and_shapes(config), expected);
  const Parameters parameters(config);
  EXPECT_EQ(parameters.layer(1).U.rows, 6);
  EXPECT_EQ(parameters.layer(1).b_input.size(), 6U);
  EXPECT_EQ(parameters.layer(1).W.size(), 0);
  EXPECT_TRUE(parameters.layer(1).b_hidden.empty());
}

TEST(Parameters, BeginAt64ByteBoundariesWithoutOverlapAndStartAsZero) {
  const Parameters parameters(kLstmConfig);
  std::int64_t end = 0;
  for (const ParameterTensor& tensor : parameters.tensors()) {
    EXPECT_GE(tensor.offset, end) << tensor.name;
    EXPECT_LT(tensor.offset, end + 16) << tensor.name;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(parameters.values(tensor).data()) % 64, 0U) << tensor.name;
    end = tensor.offset + tensor.size;
  }
  EXPECT_GE(static_cast<std::int64_t>(parameters.all().size()), end);
  EXPECT_TRUE(std::ranges::all_of(parameters.all(), [](float value) { return value == 0; }));
}

TEST(Parameters, GiveViewsOfTheTensorsWithTheirNames) {
  const Parameters parameters(kLstmConfig);
  // Fills each tensor with its own number, which the views must show.
  float number = 0;
  for (const ParameterTensor& tensor : parameters.tensors()) std::ranges::fill(parameters.values(tensor), ++number);
  const auto shows = [](const auto& values, float expected) {
    return std::ranges::all_of(values, [&](float value) { return value == expected; });
  };
  EXPECT_TRUE(shows(parameters.encoder().flat(), 1));
  for (const std::int64_t l : {0, 1}) {
    const auto first = static_cast<float>(2 + 4 * l);
    EXPECT_TRUE(shows(parameters.layer(l).U.flat(), first));
    EXPECT_TRUE(shows(parameters.layer(l).W.flat(), first + 1));
    EXPECT_TRUE(shows(parameters.layer(l).b_input, first + 2));
    EXPECT_TRUE(shows(parameters.layer(l).b_hidden, first + 3));
    EXPECT_EQ(parameters.layer(l).U.cols, l == 0 ? 5 : 3);
    EXPECT_EQ(parameters.layer(l).b_hidden.size(), 12U);
  }
  EXPECT_TRUE(shows(parameters.decoder().flat(), 10));
  EXPECT_TRUE(shows(parameters.decoder_bias(), 11));
  EXPECT_EQ(parameters.decoder_bias().size(), 7U);
}

TEST(Parameters, KeepTheirViewsWhenTheyMove) {
  Parameters first(kLstmConfig);
  const float* encoder = first.encoder().data;
  const Parameters second(std::move(first));
  EXPECT_EQ(second.encoder().data, encoder);
  EXPECT_EQ(second.all().data(), encoder);
}

TEST(Parameters, CopyAndReturnToZero) {
  Parameters first(kLstmConfig);
  Parameters second(kLstmConfig);
  std::ranges::fill(first.encoder().flat(), 2.5F);
  second.copy_from(first);
  EXPECT_TRUE(std::ranges::equal(first.all(), second.all()));
  EXPECT_NE(first.all().data(), second.all().data());
  second.set_zero();
  EXPECT_TRUE(std::ranges::all_of(second.all(), [](float value) { return value == 0; }));
  EXPECT_EQ(first.encoder()(6, 4), 2.5F);
}

TEST(Parameters, RefuseAnInvalidConfig) {
  NetworkConfig config = kLstmConfig;
  config.hidden = 0;
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "hidden", [&] { const Parameters parameters(config); }));
}

TEST(NetworkConfig, CountsTheElementsOfItsTensors) {
  for (const Cell cell : all_cells()) {
    for (const bool tied : {false, true}) {
      NetworkConfig config{.cell = cell, .vocabulary = 11, .embed = 5, .hidden = 3, .layers = 4, .tied = tied};
      if (tied) config.embed = 3;
      std::int64_t all = 0;
      std::int64_t multiplied = tied ? 11 * 3 : 0;
      for (const ParameterTensor& tensor : parameter_tensors(config)) {
        all += tensor.size;
        if (tensor.shape.size() == 2 && tensor.name != "encoder.weight") multiplied += tensor.size;
      }
      EXPECT_EQ(parameter_count(config), all) << cell_name(cell);
      EXPECT_EQ(multiplied_weights(config), multiplied) << cell_name(cell);
    }
  }
}

TEST(NetworkConfig, KnowsTheGatesOfEachCell) {
  EXPECT_EQ(gate_count(Cell::kRnnTanh), 1);
  EXPECT_EQ(gate_count(Cell::kRnnRelu), 1);
  EXPECT_EQ(gate_count(Cell::kLstm), 4);
  EXPECT_EQ(gate_count(Cell::kGru), 3);
  EXPECT_EQ(gate_count(Cell::kGruResetBefore), 3);
  EXPECT_EQ(gate_count(Cell::kMinGru), 2);
  EXPECT_EQ(gate_count(Cell::kMinLstm), 3);
}

TEST(NetworkConfig, KnowsWhichCellsHaveACellState) {
  for (const Cell cell : all_cells()) EXPECT_EQ(has_cell_state(cell), cell == Cell::kLstm) << cell_name(cell);
}

TEST(NetworkConfig, ParsesTheNameOfEachCellAndNamesThemAllWhenItCannot) {
  std::set<std::string_view> names;
  for (const Cell cell : all_cells()) {
    EXPECT_EQ(parse_cell(cell_name(cell)), cell);
    names.insert(cell_name(cell));
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, std::string(cell_name(cell)), [] { (void)parse_cell("LSTM"); }));
  }
  EXPECT_EQ(names.size(), all_cells().size());
  EXPECT_EQ(error_of([] { (void)parse_cell(""); })->code(), ErrorCode::kUsage);
}

TEST(NetworkConfig, NamesTheSizeThatIsOutOfRange) {
  struct Case {
    std::string part;
    std::function<void(NetworkConfig&)> change;
  };
  constexpr std::int64_t kTooLarge = (std::int64_t{1} << 24) + 1;
  const std::vector<Case> cases = {
      {"vocabulary is 0", [](NetworkConfig& c) { c.vocabulary = 0; }},
      {"vocabulary is 16777217", [](NetworkConfig& c) { c.vocabulary = kTooLarge; }},
      {"embed is -1", [](NetworkConfig& c) { c.embed = -1; }},
      {"embed is 16777217", [](NetworkConfig& c) { c.embed = kTooLarge; }},
      {"hidden is 0", [](NetworkConfig& c) { c.hidden = 0; }},
      {"hidden is 9223372036854775807", [](NetworkConfig& c) { c.hidden = std::numeric_limits<std::int64_t>::max(); }},
      {"layers is 0", [](NetworkConfig& c) { c.layers = 0; }},
      {"layers is 1025", [](NetworkConfig& c) { c.layers = 1025; }},
      {"parameters", [](NetworkConfig& c) { c.hidden = std::int64_t{1} << 24; }},
      {"parameters",
       [](NetworkConfig& c) { c.vocabulary = c.embed = c.hidden = std::int64_t{1} << 24, c.layers = 1024; }},
  };
  EXPECT_NO_THROW(check(kLstmConfig));
  for (const Case& wrong : cases) {
    NetworkConfig config = kLstmConfig;
    wrong.change(config);
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, wrong.part, [&] { check(config); })) << wrong.part;
  }
}

TEST(NetworkConfig, AllowsTheLargestSizes) {
  NetworkConfig config{
      .cell = Cell::kRnnTanh, .vocabulary = std::int64_t{1} << 24, .embed = 1, .hidden = 1, .layers = 1024};
  EXPECT_NO_THROW(check(config));
}

TEST(Regularization, RefusesInvalidProbabilitiesAndPenalties) {
  const auto refuses = [](const Regularization& regularization, const std::string& part) {
    return fails_with(ErrorCode::kUsage, part, [&] { check(regularization); });
  };
  EXPECT_TRUE(refuses({.words = 1}, "dropout of words is 1"));
  EXPECT_TRUE(refuses({.input = -0.1}, "dropout of the input is -0.1"));
  EXPECT_TRUE(refuses({.between = std::numeric_limits<double>::quiet_NaN()}, "dropout between layers is nan"));
  EXPECT_TRUE(refuses({.output = 2}, "dropout of the output is 2"));
  EXPECT_TRUE(refuses({.recurrent = 1}, "weight-drop is 1"));
  EXPECT_TRUE(refuses({.ar = -1}, "ar is -1"));
  EXPECT_TRUE(refuses({.tar = std::numeric_limits<double>::infinity()}, "tar is inf"));
  EXPECT_NO_THROW(check(Regularization{.words = 0.999, .recurrent = 0.5, .ar = 2}));
}

}  // namespace
}  // namespace unroll
