#include "model/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace unroll {
namespace {

constexpr std::int64_t kAlignment = 16;  // floats: 64 bytes

std::int64_t end_of(const ParameterTensor& tensor) noexcept {
  return (tensor.offset + tensor.size + kAlignment - 1) / kAlignment * kAlignment;
}

void append(std::vector<ParameterTensor>& tensors, std::string name, std::vector<std::int64_t> shape) {
  std::int64_t size = 1;
  for (const std::int64_t length : shape) size *= length;
  const std::int64_t offset = tensors.empty() ? 0 : end_of(tensors.back());
  tensors.push_back({std::move(name), std::move(shape), offset, size});
}

}  // namespace

std::vector<ParameterTensor> parameter_tensors(const NetworkConfig& config) {
  std::vector<ParameterTensor> tensors;
  const std::int64_t rows = gate_count(config.cell) * config.hidden;
  append(tensors, "encoder.weight", {config.vocabulary, config.embed});
  for (std::int64_t l = 0; l < config.layers; ++l) {
    append(tensors, fmt::format("rnn.weight_ih_l{}", l), {rows, l == 0 ? config.embed : config.hidden});
    append(tensors, fmt::format("rnn.weight_hh_l{}", l), {rows, config.hidden});
    append(tensors, fmt::format("rnn.bias_ih_l{}", l), {rows});
    append(tensors, fmt::format("rnn.bias_hh_l{}", l), {rows});
  }
  if (!config.tied) append(tensors, "decoder.weight", {config.vocabulary, config.hidden});
  append(tensors, "decoder.bias", {config.vocabulary});
  return tensors;
}

std::int64_t block_size(const std::vector<ParameterTensor>& tensors) noexcept { return end_of(tensors.back()); }

ParameterMatrices parameter_matrices(const NetworkConfig& config, const std::vector<ParameterTensor>& tensors,
                                     std::int64_t first, std::span<float> block) {
  const auto vector = [&](const ParameterTensor& tensor) {
    if (tensor.offset < first) return std::span<float>();
    return block.subspan(static_cast<std::size_t>(tensor.offset - first), static_cast<std::size_t>(tensor.size));
  };
  const auto matrix = [&](const ParameterTensor& tensor) {
    const std::span<float> values = vector(tensor);
    return values.empty() ? MatView<float>() : MatView<float>(values.data(), tensor.shape[0], tensor.shape[1]);
  };
  ParameterMatrices matrices;
  auto next = tensors.cbegin();
  matrices.encoder = matrix(*next++);
  for (std::int64_t l = 0; l < config.layers; ++l, next += 4) {
    matrices.layers.push_back({matrix(next[0]), matrix(next[1]), vector(next[2]), vector(next[3])});
  }
  matrices.decoder = config.tied ? matrices.encoder : matrix(*next++);
  matrices.decoder_bias = vector(*next);
  return matrices;
}

Parameters::Parameters(const NetworkConfig& config) {
  check(config);
  tensors_ = parameter_tensors(config);
  block_ = FloatBuffer(block_size(tensors_));
  matrices_ = parameter_matrices(config, tensors_, 0, all());
}

ParametersView Parameters::view() const {
  ParametersView view{.encoder = encoder(), .layers = {}, .decoder = decoder(), .decoder_bias = decoder_bias()};
  for (const RecurrentParams<float>& layer : matrices_.layers) {
    view.layers.push_back({layer.U, layer.W, layer.b_input, layer.b_hidden});
  }
  return view;
}

void Parameters::copy_from(const Parameters& other) {
  assert(all().size() == other.all().size());
  std::ranges::copy(other.all(), all().begin());
}

void Parameters::set_zero() { std::ranges::fill(all(), 0.0F); }

}  // namespace unroll
