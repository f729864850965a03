#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/names.h"
#include "network/network_tensors.h"
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

[[noreturn]] void refuse_config(std::string_view what) { throw Error(ErrorCode::kUsage, std::string(what)); }

// What predicts each symbol from those before it.
void check_language_model(const NetworkConfig& config) {
  check_size("vocabulary", config.vocabulary, kLargestSize);
  if (config.language) refuse_config("`language` is for networks of other tasks: a language model predicts symbols");
  if (config.bidirectional && (!config.cutoffs.empty() || config.conditions > 0)) {
    refuse_config("a language model of both directions has a full softmax and no conditions");
  }
  if (config.readout != Readout::kSteps || config.loss != Loss::kSoftmax) {
    refuse_config("a language model has a softmax over its vocabulary at every step, and no other readout or loss");
  }
  if (config.characters > 0 && !config.bidirectional) {
    refuse_config("a character network is for words that get labels, not for a language model of one direction");
  }
  check_cutoffs(config);
}

void check_task(const NetworkConfig& config) {
  check_size("outputs", config.outputs, kLargestSize);
  if (config.vocabulary != 0) check_size("vocabulary", config.vocabulary, kLargestSize);
  if (config.tied || !config.cutoffs.empty() || config.conditions > 0) {
    refuse_config("tied weights, an adaptive softmax and conditions are for language models, not for labels");
  }
  if (config.loss == Loss::kCrf && config.readout != Readout::kSteps) {
    refuse_config("the loss crf is for labels at every step: the readout has to be steps");
  }
  if (config.characters > 0 && config.vocabulary == 0) refuse_config("rows of numbers have no characters");
  if (config.language && config.vocabulary == 0) refuse_config("a language model of texts needs a vocabulary");
}

// A character network is there or not.
void check_characters(const NetworkConfig& config) {
  if (config.characters == 0 && config.character_hidden == 0) return;
  check_size("characters", config.characters, kLargestSize);
  check_size("character_hidden", config.character_hidden, kLargestSize);
}

}  // namespace

void check(const NetworkConfig& config) {
  expect_enumerator("cell", config.cell, cell_name(config.cell));
  expect_enumerator("loss", config.loss, loss_name(config.loss));
  expect_enumerator("readout", config.readout, readout_name(config.readout));
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
  check_characters(config);
  if (predicts_texts(config) && config.bidirectional && config.layers > 1) {
    refuse_config(
        "a language model of both directions has 1 layer: in a second one each direction would see the symbols that "
        "it predicts");
  }
  if (config.conditions != 0) check_size("conditions", config.conditions, kLargestSize);
  if (config.outputs == 0) {
    check_language_model(config);
  } else {
    check_task(config);
  }
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
  for (const auto& [name, size] : {std::pair("embed", level_inputs(config, 0)), std::pair("hidden", config.hidden),
                                   std::pair("the readout", decoder_inputs(config))}) {
    if (size <= kMostInputs) continue;
    throw Error(ErrorCode::kUsage,
                fmt::format("{} is {}: int8 sums are exact up to {}; use bf16", name, size, kMostInputs));
  }
}

bool predicts_texts(const NetworkConfig& config) noexcept {
  return config.outputs == 0 ? config.bidirectional : config.language;
}

bool shares_embedding(const NetworkConfig& config) noexcept { return config.tied || config.language; }

bool has_projection(const NetworkConfig& config) noexcept {
  return shares_embedding(config) && config.embed != config.hidden;
}

std::int64_t directions(const NetworkConfig& config) noexcept { return config.bidirectional ? 2 : 1; }

std::int64_t level_inputs(const NetworkConfig& config, std::int64_t level) noexcept {
  return level > 0 ? level_outputs(config) : config.embed + 2 * config.character_hidden;
}

std::int64_t level_outputs(const NetworkConfig& config) noexcept { return directions(config) * config.hidden; }

std::int64_t decoder_inputs(const NetworkConfig& config) noexcept {
  if (config.outputs == 0) return config.tied ? config.embed : config.hidden;
  return readout_size(config.readout, level_outputs(config));
}

std::int64_t output_count(const NetworkConfig& config) noexcept {
  return config.outputs > 0 ? config.outputs : config.vocabulary;
}

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
  std::int64_t sum = 0;
  for_each_tensor(
      config, [&](const std::string&, std::int64_t rows, std::int64_t cols) { sum += rows * cols; },
      [&](const std::string&, std::int64_t size) { sum += size; });
  return sum;
}

std::int64_t multiplied_weights(const NetworkConfig& config) noexcept {
  std::int64_t sum = shares_embedding(config) ? config.vocabulary * config.embed : 0;
  const auto add_matrix = [&](const std::string& name, std::int64_t rows, std::int64_t cols) {
    if (!name.ends_with("encoder.weight")) sum += rows * cols;
  };
  for_each_tensor(config, add_matrix, [](const std::string&, std::int64_t) {});
  return sum;
}

}  // namespace unroll
