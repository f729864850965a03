#include "network/parameters.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "network/network_tensors.h"

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
  for_each_tensor(
      config,
      [&](const std::string& name, std::int64_t rows, std::int64_t cols) {
        append(tensors, name, {rows, cols});
      },
      [&](const std::string& name, std::int64_t size) { append(tensors, name, {size}); });
  return tensors;
}

std::int64_t block_size(const std::vector<ParameterTensor>& tensors) noexcept { return end_of(tensors.back()); }

ParameterMatrices parameter_matrices(const NetworkConfig& config, const std::vector<ParameterTensor>& tensors,
                                     std::int64_t first, std::span<float> block) {
  auto next = tensors.cbegin();
  const auto take = [&] {
    const ParameterTensor& tensor = *next++;
    if (tensor.offset < first) return std::span<float>();
    return block.subspan(static_cast<std::size_t>(tensor.offset - first), static_cast<std::size_t>(tensor.size));
  };
  ParameterMatrices matrices;
  resize_lists(config, matrices);
  for_each_tensor(
      config,
      [&](const std::string& /*name*/, std::int64_t rows, std::int64_t cols, MatView<float>& matrix) {
        const std::span<float> values = take();
        if (!values.empty()) matrix = MatView<float>(values.data(), rows, cols);
      },
      [&](const std::string& /*name*/, std::int64_t /*size*/, std::span<float>& vector) { vector = take(); }, matrices);
  if (config.tied) matrices.decoder = matrices.encoder;
  return matrices;
}

Parameters::Parameters(const NetworkConfig& config) {
  check(config);
  tensors_ = parameter_tensors(config);
  block_ = FloatBuffer(block_size(tensors_));
  matrices_ = parameter_matrices(config, tensors_, 0, all());
}

namespace {

RecurrentView view_of(const RecurrentParams<float>& layer) {
  return {layer.U,          layer.W,           layer.b_input,   layer.b_hidden,
          layer.norm_input, layer.norm_hidden, layer.norm_cell, layer.b_cell};
}

}  // namespace

ParametersView Parameters::view() const {
  const ParameterMatrices& m = matrices_;
  ParametersView view{.encoder = m.encoder,
                      .chars_encoder = m.chars_encoder,
                      .chars_layers = {},
                      .layers = {},
                      .conditions = {},
                      .projection = m.projection,
                      .attention = m.attention,
                      .decoder = m.decoder,
                      .decoder_bias = m.decoder_bias,
                      .tails = {},
                      .crf = {m.crf.transitions, m.crf.start, m.crf.end},
                      .language_bias = m.language_bias};
  for (const RecurrentParams<float>& layer : m.chars_layers) view.chars_layers.push_back(view_of(layer));
  for (const RecurrentParams<float>& layer : m.layers) view.layers.push_back(view_of(layer));
  for (const ConditionParams<float>& level : m.conditions) view.conditions.push_back({level.h, level.c});
  for (const TailParams<float>& tail : m.tails) view.tails.push_back({tail.P, tail.Q});
  return view;
}

void Parameters::copy_from(const Parameters& other) {
  assert(all().size() == other.all().size());
  std::ranges::copy(other.all(), all().begin());
}

void Parameters::set_zero() { std::ranges::fill(all(), 0.0F); }

}  // namespace unroll
