#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/names.h"
#include "nn/adaptive_softmax.h"
#include "unroll/error.h"
#include "unroll/network.h"

namespace unroll {
namespace {

constexpr std::int64_t kLargestSize = std::int64_t{1} << 24;
constexpr std::int64_t kMostLayers = 1024;
constexpr std::int64_t kMostParameters = std::int64_t{1} << 40;

void check_size(std::string_view name, std::int64_t size, std::int64_t largest) {
  if (size >= 1 && size <= largest) return;
  throw Error(ErrorCode::kUsage, fmt::format("{} is {}: expected 1 to {}", name, size, largest));
}

// Weights of all recurrent layers: U, and W if the cell has it.
std::int64_t recurrent_weights(const NetworkConfig& config) noexcept {
  const std::int64_t rows = gate_count(config.cell) * config.hidden;
  const std::int64_t inputs = config.embed + (config.layers - 1) * config.hidden;
  const std::int64_t states = has_recurrent_weights(config.cell) ? config.layers * config.hidden : 0;
  return rows * (inputs + states);
}

// Parameters of layer normalisation per layer: gains of U x and W h, and gains and a bias of the cell state.
std::int64_t gains_of_layer(const NetworkConfig& config) noexcept {
  return 2 * gate_count(config.cell) * config.hidden + (has_cell_state(config.cell) ? 2 * config.hidden : 0);
}

// Weights of an adaptive softmax: head and clusters, without the head's bias.
std::int64_t adaptive_weights(const NetworkConfig& config) noexcept {
  const AdaptiveShape shape{.H = config.hidden, .V = config.vocabulary, .cutoffs = config.cutoffs};
  std::int64_t sum = shape.head_size() * config.hidden;
  for (std::int64_t i = 0; i < shape.clusters(); ++i) {
    const TailCluster cluster = shape.cluster(i);
    sum += cluster.width * (config.hidden + cluster.size);
  }
  return sum;
}

void check_cutoffs(const NetworkConfig& config) {
  std::int64_t before = 0;
  for (const std::int64_t cutoff : config.cutoffs) {
    if (cutoff <= before || cutoff >= config.vocabulary) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("cutoff {}: expected more than {} and less than the vocabulary, which is {}", cutoff,
                              before, config.vocabulary));
    }
    before = cutoff;
  }
  if (config.cutoffs.empty()) return;
  if (config.tied) {
    throw Error(ErrorCode::kUsage,
                "tied weights and an adaptive softmax exclude each other, since its rare symbols have narrower vectors "
                "than the embedding: use one of them, or a sampled softmax");
  }
  const AdaptiveShape shape{.H = config.hidden, .V = config.vocabulary, .cutoffs = config.cutoffs};
  constexpr std::int64_t kMostClusters = 12;  // 4^12 is the largest size
  if (shape.clusters() > kMostClusters || shape.cluster(shape.clusters() - 1).width == 0) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("{} cutoffs and hidden {}: each cluster is a quarter as wide as the one before, so that the "
                    "last would have width 0; give fewer cutoffs or a larger hidden",
                    shape.clusters(), config.hidden));
  }
}

}  // namespace

void check(const NetworkConfig& config) {
  expect_enumerator("cell", config.cell, cell_name(config.cell));
  check_size("vocabulary", config.vocabulary, kLargestSize);
  check_size("embed", config.embed, kLargestSize);
  check_size("hidden", config.hidden, kLargestSize);
  check_size("layers", config.layers, kMostLayers);
  if (config.layer_norm && !has_recurrent_weights(config.cell)) {
    throw Error(ErrorCode::kUsage,
                fmt::format("layer normalisation needs a cell with recurrent weights, which {} does not have; use lstm "
                            "or gru, or no layer normalisation",
                            cell_name(config.cell)));
  }
  if (config.layer_norm && config.hidden < 2) {
    throw Error(ErrorCode::kUsage,
                "layer normalisation of 1 unit is always 0: make hidden larger, or use no layer normalisation");
  }
  check_cutoffs(config);
  if (const std::int64_t count = parameter_count(config); count >= kMostParameters) {
    throw Error(ErrorCode::kUsage,
                fmt::format("a network of these sizes has {} parameters: expected fewer than {}; make "
                            "hidden, embed, layers or the vocabulary smaller",
                            count, kMostParameters));
  }
}

void check(const NetworkConfig& config, Precision precision) {
  check(config);
  expect_enumerator("precision", precision, precision_name(precision));
  if (precision != Precision::kInt8) return;
  // A product is 255 * 127 at most, and 2^16 of them stay below 2^31.
  constexpr std::int64_t kMostInputs = std::int64_t{1} << 16;
  for (const auto& [name, size] : {std::pair("embed", config.embed), std::pair("hidden", config.hidden)}) {
    if (size <= kMostInputs) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("{} is {}: int8 sums are exact up to {}; use bf16", name, size, kMostInputs));
  }
}

bool has_projection(const NetworkConfig& config) noexcept { return config.tied && config.embed != config.hidden; }

std::int64_t decoder_inputs(const NetworkConfig& config) noexcept { return config.tied ? config.embed : config.hidden; }

std::vector<std::int64_t> default_cutoffs(std::int64_t V) {
  constexpr std::int64_t kMostInHead = 4000;
  std::vector<std::int64_t> cutoffs;
  for (std::int64_t next = std::clamp<std::int64_t>(V / 5, 1, kMostInHead); cutoffs.empty() || next < V / 2;
       next *= 4) {
    cutoffs.push_back(next);
  }
  return cutoffs;
}

std::int64_t parameter_count(const NetworkConfig& config) noexcept {
  const std::int64_t biases_per_gate = has_recurrent_weights(config.cell) ? 2 : 1;
  const std::int64_t biases = config.layers * biases_per_gate * gate_count(config.cell) * config.hidden;
  const std::int64_t gains = config.layer_norm ? config.layers * gains_of_layer(config) : 0;
  const std::int64_t encoder = config.vocabulary * config.embed;
  const std::int64_t output_bias =
      config.cutoffs.empty() ? config.vocabulary : config.cutoffs.front() + std::ssize(config.cutoffs);
  return (config.tied ? 0 : encoder) + multiplied_weights(config) + biases + gains + output_bias;
}

std::int64_t multiplied_weights(const NetworkConfig& config) noexcept {
  const std::int64_t projection = has_projection(config) ? config.embed * config.hidden : 0;
  const std::int64_t output =
      config.cutoffs.empty() ? config.vocabulary * decoder_inputs(config) : adaptive_weights(config);
  return recurrent_weights(config) + projection + output;
}

}  // namespace unroll
