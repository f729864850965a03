#include "exchange/found_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unroll/error.h"

namespace unroll {
namespace {

using testing::ElementsAre;

FoundTensor matrix_of(std::int64_t rows, std::int64_t cols, float value) {
  return {.matrix = {.rows = rows,
                     .cols = cols,
                     .numbers = std::vector<float>(static_cast<std::size_t>(rows * cols), value)},
          .source = "m"};
}

FoundLayer layer_of(std::int64_t inputs, std::int64_t width, int gates) {
  return {.weight_ih = matrix_of(gates * width, inputs, 1),
          .weight_hh = matrix_of(gates * width, width, 2),
          .bias_ih = matrix_of(1, gates * width, 3),
          .bias_hh = {}};
}

std::vector<float> tensor_of(const BuiltNetwork& built, const std::string& name) {
  for (const ParameterTensor& tensor : built.parameters.tensors()) {
    if (tensor.name != name) continue;
    const std::span<float> values = built.parameters.values(tensor);
    return {values.begin(), values.end()};
  }
  return {};
}

TEST(FoundNetwork, NarrowLayersGetUnitsWithoutWeights) {
  FoundNetwork network{.cell = Cell::kGru,
                       .encoder = matrix_of(2, 1, 5),
                       .layers = {layer_of(1, 2, 3), layer_of(2, 1, 3)},
                       .decoder = matrix_of(2, 1, 7)};
  check_found(network, "x");
  const BuiltNetwork built = build_network(network);
  EXPECT_EQ(built.config.hidden, 2);
  EXPECT_THAT(tensor_of(built, "rnn.weight_ih_l1"), ElementsAre(1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0));
  EXPECT_THAT(tensor_of(built, "rnn.weight_hh_l1"), ElementsAre(2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0));
  EXPECT_THAT(tensor_of(built, "rnn.bias_ih_l1"), ElementsAre(3, 0, 3, 0, 3, 0));
  EXPECT_THAT(tensor_of(built, "rnn.bias_hh_l1"), ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_THAT(tensor_of(built, "decoder.weight"), ElementsAre(7, 0, 7, 0));
  EXPECT_THAT(tensor_of(built, "decoder.bias"), ElementsAre(0, 0));
}

TEST(FoundNetwork, TiedWeightsOfANarrowLastLayerGetAProjection) {
  const FoundNetwork network{
      .cell = Cell::kLstm, .encoder = matrix_of(3, 1, 5), .layers = {layer_of(1, 2, 4), layer_of(2, 1, 4)}};
  check_found(network, "x");
  const BuiltNetwork built = build_network(network);
  EXPECT_TRUE(built.config.tied);
  EXPECT_THAT(tensor_of(built, "projection.weight"), ElementsAre(1, 0));
  EXPECT_THAT(tensor_of(built, "encoder.weight"), ElementsAre(5, 5, 5));
}

TEST(FoundNetwork, OneHotInputsGetTheIdentity) {
  const FoundNetwork network{.cell = Cell::kRnnTanh, .layers = {layer_of(2, 3, 1)}, .decoder = matrix_of(2, 3, 7)};
  check_found(network, "x");
  const BuiltNetwork built = build_network(network);
  EXPECT_EQ(built.config.embed, 2);
  EXPECT_THAT(tensor_of(built, "encoder.weight"), ElementsAre(1, 0, 0, 1));
}

TEST(FoundNetwork, ShapesThatDoNotFollowEachOtherAreRefused) {
  FoundNetwork network{.cell = Cell::kLstm, .encoder = matrix_of(3, 1, 5), .layers = {layer_of(1, 2, 4)}};
  EXPECT_THROW(check_found(network, "x"), Error);  // tied, and the layer is wider
  network.decoder = matrix_of(3, 2, 7);
  check_found(network, "x");
  network.layers.push_back(layer_of(3, 2, 4));
  EXPECT_THROW(check_found(network, "x"), Error);
  network.layers.clear();
  EXPECT_THROW(check_found(network, "x"), Error);
}

}  // namespace
}  // namespace unroll
