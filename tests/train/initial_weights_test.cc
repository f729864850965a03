#include "train/initial_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace unroll {
namespace {

constexpr std::int64_t kLongest = 100;

NetworkConfig gated(Cell cell) {
  return {.cell = cell, .embed = 3, .hidden = 37, .layers = 2, .outputs = 2, .bidirectional = true};
}

// The biases of one gate, of every layer and direction.
std::vector<std::vector<float>> gate_biases(const NetworkConfig& config, const Parameters& parameters, int gate) {
  std::vector<std::vector<float>> all;
  for (const RecurrentParams<float>& layer : parameters.matrices().layers) {
    const auto H = static_cast<std::size_t>(config.hidden);
    const std::span<float> block = layer.b_input.subspan(static_cast<std::size_t>(gate) * H, H);
    all.emplace_back(block.begin(), block.end());
  }
  return all;
}

struct GatePlaces {
  Cell cell;
  int keeps;   // -1: there is none of its own
  int writes;  // the same
};

constexpr GatePlaces kPlaces[] = {{Cell::kLstm, 1, 0},
                                  {Cell::kGru, 1, -1},
                                  {Cell::kGruResetBefore, 1, -1},
                                  {Cell::kMinGru, -1, 0},
                                  {Cell::kMinLstm, 0, 1}};

TEST(InitialWeights, ChronoBiasesKeepTheStateForTwoToTheLongestNumberOfSteps) {
  for (const auto& [cell, keeps, writes] : kPlaces) {
    const NetworkConfig config = gated(cell);
    Parameters parameters(config);
    set_initial_weights(config, {.init = Init::kChrono, .chrono_steps = kLongest, .seed = 4}, parameters);
    const float sign = keeps < 0 ? -1.0F : 1.0F;
    double steps = 0;
    for (const std::vector<float>& layer : gate_biases(config, parameters, keeps < 0 ? writes : keeps)) {
      const auto [least, most] = std::ranges::minmax(layer);
      EXPECT_GE(std::min(sign * least, sign * most), 0) << cell_name(cell);
      EXPECT_LE(std::max(sign * least, sign * most), std::log(kLongest - 1)) << cell_name(cell);
      for (const float bias : layer) steps += 1 + std::exp(sign * bias);
    }
    EXPECT_NEAR(steps / static_cast<double>(4 * config.hidden), (2 + kLongest) / 2.0, 10) << cell_name(cell);
  }
}

TEST(InitialWeights, ChronoBiasesOfTheGateThatWritesAreThoseOfTheOneThatKeepsNegated) {
  for (const auto& [cell, keeps, writes] : kPlaces) {
    if (keeps < 0 || writes < 0) continue;
    const NetworkConfig config = gated(cell);
    Parameters parameters(config);
    set_initial_weights(config, {.init = Init::kChrono, .chrono_steps = kLongest, .seed = 4}, parameters);
    std::vector<std::vector<float>> kept = gate_biases(config, parameters, keeps);
    EXPECT_NE(kept[0], kept[1]) << "each direction draws its own";
    for (std::vector<float>& layer : kept) std::ranges::for_each(layer, [](float& bias) { bias = -bias; });
    EXPECT_EQ(gate_biases(config, parameters, writes), kept) << cell_name(cell);
  }
}

TEST(InitialWeights, ChronoChangesNothingButBiasesOfThoseGates) {
  for (const auto& [cell, keeps, writes] : kPlaces) {
    const NetworkConfig config = gated(cell);
    Parameters plain(config);
    Parameters chrono(config);
    set_initial_weights(config, {.seed = 4}, plain);
    set_initial_weights(config, {.init = Init::kChrono, .chrono_steps = kLongest, .seed = 4}, chrono);
    for (Parameters* parameters : {&plain, &chrono}) {
      for (const RecurrentParams<float>& layer : parameters->matrices().layers) {
        const auto H = static_cast<std::size_t>(config.hidden);
        for (const int gate : {keeps, writes}) {
          if (gate >= 0) std::ranges::fill(layer.b_input.subspan(static_cast<std::size_t>(gate) * H, H), 0.0F);
        }
      }
    }
    for (const ParameterTensor& tensor : plain.tensors()) {
      EXPECT_TRUE(std::ranges::equal(plain.values(tensor), chrono.values(tensor))) << cell_name(cell) << tensor.name;
    }
  }
}

}  // namespace
}  // namespace unroll
