#include "train/initial_weights.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/philox.h"

namespace unroll {
namespace {

// One of the streams of random numbers.
struct Stream {
  std::uint64_t seed;
  RandomPurpose purpose;
  std::uint32_t index;
};

// Numbers uniform between low and high.
void fill_uniform(std::span<float> values, double low, double high, const Stream& stream) {
  constexpr std::size_t kRow = std::size_t{1} << 24;  // numbers per counter row; keeps the block number in 32 bits
  const auto width = static_cast<float>(high - low);
  const auto least = static_cast<float>(low);
  for (std::size_t first = 0; first < values.size(); first += 4) {
    const auto words =
        random_words(stream.seed, 0, stream.purpose, stream.index, static_cast<std::uint32_t>(first / kRow),
                     static_cast<std::uint32_t>(first % kRow / 4));
    for (std::size_t i = first; i < std::min(first + 4, values.size()); ++i) {
      values[i] = least + width * uniform_float(words[i - first]);
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

// Biases of the gates that keep the state and of those that write, for memories of many lengths.
void set_chrono_biases(Cell cell, std::span<float> b_input, std::int64_t longest, const Stream& stream) {
  const std::size_t H = b_input.size() / static_cast<std::size_t>(gate_count(cell));
  std::vector<float> odds(H);
  fill_uniform(odds, 1, static_cast<double>(longest - 1), stream);
  const auto set_gate = [&](std::size_t gate, float sign) {
    for (std::size_t unit = 0; unit < H; ++unit) b_input[gate * H + unit] = sign * std::log(odds[unit]);
  };
  switch (cell) {
    case Cell::kRnnTanh:
    case Cell::kRnnRelu:
      break;
    case Cell::kLstm:  // i f g o
      set_gate(0, -1);
      set_gate(1, 1);
      break;
    case Cell::kGru:  // r z n
    case Cell::kGruResetBefore:
      set_gate(1, 1);
      break;
    case Cell::kMinGru:  // z n
      set_gate(0, -1);
      break;
    case Cell::kMinLstm:  // f i n
      set_gate(0, 1);
      set_gate(1, -1);
      break;
  }
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
    if (!is_matrix) continue;
    const double range = range_of(tensor, config, how);
    fill_uniform(parameters.values(tensor), -range, range, {how.seed, RandomPurpose::kInitialWeights, stream});
  }
  std::uint32_t number = 0;
  for (const RecurrentParams<float>& layer : parameters.matrices().layers) {
    set_initial_layer(config.cell, how, layer);
    const Stream stream{how.seed, RandomPurpose::kInitialBiases, number++ & 0xFFFFU};
    if (how.init == Init::kChrono) set_chrono_biases(config.cell, layer.b_input, how.chrono_steps, stream);
  }
  for (const RecurrentParams<float>& layer : parameters.matrices().chars_layers) {
    set_initial_layer(config.cell, how, layer);
  }
}

}  // namespace unroll
