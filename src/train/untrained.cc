#include "unroll/look/untrained.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "look/spectra.h"
#include "model/model_file.h"
#include "network/parameters.h"
#include "train/initial_weights.h"
#include "unroll/error.h"
#include "unroll/network.h"

namespace unroll {
namespace {

constexpr double kMostRadius = 100;
constexpr double kMostBias = 100;

// The block of the gate that keeps the state, and the sign with which its bias does; block -1: there is none.
struct KeepingGate {
  std::int64_t block = -1;
  float sign = 1;
};

KeepingGate keeping_gate(Cell cell) {
  switch (cell) {
    case Cell::kRnnTanh:
    case Cell::kRnnRelu:
      return {};
    case Cell::kLstm:  // i f g o
      return {.block = 1};
    case Cell::kGru:  // r z n
    case Cell::kGruResetBefore:
      return {.block = 1};
    case Cell::kMinGru:  // z n
      return {.block = 0, .sign = -1};
    case Cell::kMinLstm:  // f i n
      return {.block = 0};
  }
  return {};
}

void expect_possible(const UntrainedNetwork& network) {
  const auto refuse = [](const char* field, const std::string& what) {
    throw Error(ErrorCode::kUsage, fmt::format("`{}` {}", field, what), field);
  };
  if (network.hidden < 1) refuse("hidden", fmt::format("is {}: expected 1 or more", network.hidden));
  if (network.radius) {
    if (!has_recurrent_weights(network.cell)) {
      refuse("radius", fmt::format("is given, but {} has no W", cell_name(network.cell)));
    }
    if (!(*network.radius >= 0 && *network.radius <= kMostRadius)) {
      refuse("radius", fmt::format("is {}: expected 0 to {}", *network.radius, kMostRadius));
    }
  }
  if (network.forget_bias) {
    if (keeping_gate(network.cell).block < 0) {
      refuse("forget_bias", fmt::format("is given, but {} has no gates", cell_name(network.cell)));
    }
    if (!(std::fabs(*network.forget_bias) <= kMostBias)) {
      refuse("forget_bias", fmt::format("is {}: expected {} to {}", *network.forget_bias, -kMostBias, kMostBias));
    }
  }
}

void scale_to_radius(std::span<float> block, std::int64_t hidden, double radius) {
  const double present = spectral_radius({.n = hidden, .values = {block.begin(), block.end()}});
  const double factor = present > 0 ? radius / present : 0;
  for (float& value : block) value = static_cast<float>(value * factor);
}

}  // namespace

Model untrained_model(const Tokenizer& tokenizer, const UntrainedNetwork& network) {
  expect_possible(network);
  const NetworkConfig config{.cell = network.cell,
                             .vocabulary = tokenizer.size(),
                             .embed = network.hidden,
                             .hidden = network.hidden,
                             .layers = 1};
  check(config);
  Parameters parameters(config);
  set_initial_weights(config, {.seed = network.seed}, parameters);
  const RecurrentParams<float>& layer = parameters.layer(0);
  for (std::int64_t gate = 0; network.radius && gate < gate_count(config.cell); ++gate) {
    scale_to_radius(layer.W.row_range(gate * config.hidden, config.hidden).flat(), config.hidden, *network.radius);
  }
  if (network.forget_bias) {
    const KeepingGate gate = keeping_gate(config.cell);
    const std::span<float> biases = layer.b_input.subspan(static_cast<std::size_t>(gate.block * config.hidden),
                                                          static_cast<std::size_t>(config.hidden));
    std::ranges::fill(biases, gate.sign * static_cast<float>(*network.forget_bias));
  }
  const ModelUse use(tokenizer.boundary() < 0 ? BeginPolicy::kNone : BeginPolicy::kBoundary);
  return Model(std::make_shared<const Model::Data>(Model::Data{.config = config,
                                                               .tokenizer = tokenizer,
                                                               .training = {},
                                                               .weights = ModelWeights(std::move(parameters)),
                                                               .use = use}));
}

std::string untrained_name(const UntrainedNetwork& network) {
  std::string name = fmt::format("untrained {}", cell_name(network.cell));
  if (network.radius) name += fmt::format(", radius {}", *network.radius);
  if (network.forget_bias) name += fmt::format(", bias {}", *network.forget_bias);
  return name;
}

}  // namespace unroll
