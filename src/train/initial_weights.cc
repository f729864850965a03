#include "train/initial_weights.h"

#include <algorithm>
#include <cmath>

#include "base/philox.h"

namespace unroll {
namespace {

// Numbers uniform in +-range, from the stream of tensor number `index`.
void fill_uniform(std::span<float> values, double range, std::uint64_t seed, std::uint32_t index) {
  constexpr std::size_t kRow = std::size_t{1} << 24;  // numbers per counter row; keeps the block number in 32 bits
  const auto width = static_cast<float>(2 * range);
  const auto low = static_cast<float>(-range);
  for (std::size_t first = 0; first < values.size(); first += 4) {
    const auto words =
        random_words(seed, 0, RandomPurpose::kInitialWeights, index, static_cast<std::uint32_t>(first / kRow),
                     static_cast<std::uint32_t>(first % kRow / 4));
    for (std::size_t i = first; i < std::min(first + 4, values.size()); ++i) {
      values[i] = low + width * uniform_float(words[i - first]);
    }
  }
}

// Numbers of a matrix start uniform in +- this.
double range_of(const ParameterTensor& tensor, const NetworkConfig& config, const InitialWeights& how) {
  if (how.range > 0) return how.range;
  const auto cols = static_cast<double>(tensor.shape[1]);
  if (tensor.name.starts_with("decoder.tail") || config.outputs > 0) {
    return tensor.name.ends_with("encoder.weight") ? std::sqrt(3 / cols) : 1 / std::sqrt(cols);
  }
  if (tensor.name != "encoder.weight") return 1 / std::sqrt(static_cast<double>(config.hidden));
  const auto embed = static_cast<double>(config.embed);
  return config.tied ? 1 / std::sqrt(embed) : std::sqrt(3 / embed);
}

// Gains are 1, the bias of an LSTM's forget gate is 1, and W may be the identity.
void set_initial_layer(Cell cell, const InitialWeights& how, const RecurrentParams<float>& layer) {
  for (const std::span<float>& gains : {layer.norm_input, layer.norm_hidden, layer.norm_cell}) {
    std::ranges::fill(gains, 1.0F);
  }
  const auto H = static_cast<std::size_t>(layer.U.rows / gate_count(cell));
  if (has_cell_state(cell)) std::ranges::fill(layer.b_input.subspan(H, H), 1.0F);
  if (how.init != Init::kIdentity) return;
  for (std::int64_t r = 0; r < layer.W.rows; ++r) {
    for (std::int64_t c = 0; c < layer.W.cols; ++c) layer.W(r, c) = r == c ? 1.0F : 0.0F;
  }
}

}  // namespace

void set_initial_weights(const NetworkConfig& config, const InitialWeights& how, Parameters& parameters) {
  parameters.set_zero();
  std::uint32_t index = 0;
  for (const ParameterTensor& tensor : parameters.tensors()) {
    const bool is_matrix = tensor.shape.size() == 2;
    // Tensors of one network share the upper half of the counter; more than 2^16 of them wrap, which only repeats
    // numbers.
    const std::uint32_t stream = index++ & 0xFFFFU;
    if (is_matrix) fill_uniform(parameters.values(tensor), range_of(tensor, config, how), how.seed, stream);
  }
  for (const RecurrentParams<float>& layer : parameters.matrices().layers) set_initial_layer(config.cell, how, layer);
  for (const RecurrentParams<float>& layer : parameters.matrices().chars_layers) {
    set_initial_layer(config.cell, how, layer);
  }
}

}  // namespace unroll
