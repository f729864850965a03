#include "exchange/found_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "network/network_tensors.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int64_t kLargestOneHot = std::int64_t{1} << 28;

std::int64_t widest_layer(const FoundNetwork& network) {
  std::int64_t widest = 0;
  for (const FoundLayer& layer : network.layers) widest = std::max(widest, layer.width());
  return widest;
}

// Checks the shapes of a network, in the order in which a text goes through it.
class FoundCheck {
 public:
  FoundCheck(const FoundNetwork& network, const std::string& where) : network_(network), where_(where) {}

  void run() const {
    if (network_.layers.empty()) refuse("it has no recurrent layer");
    const std::int64_t V = network_.symbols();
    if (V < 1) refuse("it has no output layer");
    std::int64_t inputs = network_.encoder.matrix.rows > 0 ? network_.encoder.matrix.cols : V;
    if (network_.encoder.matrix.rows > 0) {
      expect(network_.encoder, V, inputs, "the embedding");
    } else if (network_.layers.front().inputs() != V) {
      refuse(
          fmt::format("its first layer reads {} numbers at each step, and it predicts {} symbols: expected an "
                      "embedding, or one-hot inputs of as many",
                      network_.layers.front().inputs(), V));
    } else if (V * V > kLargestOneHot) {
      refuse(fmt::format("its inputs are one-hot vectors of {}, for which an embedding would be too large", V));
    }
    for (std::size_t l = 0; l < network_.layers.size(); ++l) {
      check_layer(network_.layers[l], inputs, fmt::format("layer {}", l + 1));
      inputs = network_.layers[l].width();
    }
    const FoundTensor& output = network_.decoder.matrix.rows > 0 ? network_.decoder : network_.encoder;
    expect(output, V, inputs, "the output layer");
    expect_vector(network_.decoder_bias, V, "the output layer");
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::kFormat, fmt::format("{}: {}", where_, why));
  }

  void expect(const FoundTensor& tensor, std::int64_t rows, std::int64_t cols, const std::string& what) const {
    if (tensor.matrix.rows == rows && tensor.matrix.cols == cols) return;
    refuse(fmt::format("{} ({}) has the shape [{}, {}]: expected [{}, {}]", what, tensor.source, tensor.matrix.rows,
                       tensor.matrix.cols, rows, cols));
  }

  void expect_vector(const FoundTensor& tensor, std::int64_t size, const std::string& what) const {
    if (!tensor.matrix.numbers.empty()) expect(tensor, 1, size, "the bias of " + what);
  }

  void check_layer(const FoundLayer& layer, std::int64_t inputs, const std::string& what) const {
    const std::int64_t units = gate_count(network_.cell) * layer.width();
    if (layer.width() < 1) refuse(fmt::format("{} has no units", what));
    expect(layer.weight_ih, units, inputs, what);
    expect(layer.weight_hh, units, layer.width(), what);
    expect_vector(layer.bias_ih, units, what);
    expect_vector(layer.bias_hh, units, what);
  }

  const FoundNetwork& network_;
  const std::string& where_;
};

// Copies each gate's block of rows to the place of that gate among wider blocks; what is beyond stays zero.
void copy_gates(const MatrixValue& from, int gates, std::int64_t wide, std::int64_t cols, std::span<float> to) {
  const std::int64_t narrow = from.rows / gates;
  for (std::int64_t r = 0; r < from.rows; ++r) {
    const std::int64_t row = r / narrow * wide + r % narrow;
    std::copy_n(from.numbers.begin() + r * from.cols, from.cols, to.begin() + row * cols);
  }
}

// A bias is one row, of which each gate has a part.
void copy_bias(const MatrixValue& from, int gates, std::int64_t wide, std::span<float> to) {
  if (from.numbers.empty()) return;
  MatrixValue column = from;
  std::swap(column.rows, column.cols);
  copy_gates(column, gates, wide, 1, to);
}

void copy_identity(std::int64_t size, std::int64_t cols, std::span<float> to) {
  for (std::int64_t i = 0; i < size; ++i) to[static_cast<std::size_t>(i * cols + i)] = 1;
}

// Fills the tensors of a network, by their names.
class NetworkBuilder {
 public:
  NetworkBuilder(const FoundNetwork& network, const NetworkConfig& config) : network_(network), config_(config) {}

  // Sets one tensor, and returns where it comes from.
  std::string fill(const std::string& name, std::span<float> to) const {
    if (name == "encoder.weight") return fill_encoder(to);
    if (name == "projection.weight") {
      copy_identity(config_.embed, config_.hidden, to);
      return "made: the identity, since the last layer is narrower than the widest";
    }
    if (name == "decoder.weight") return fill_rows(network_.decoder, to);
    if (name == "decoder.bias") return fill_vector(network_.decoder_bias, 1, config_.vocabulary, to);
    return fill_recurrent(name, to);
  }

 private:
  std::string fill_encoder(std::span<float> to) const {
    if (network_.encoder.matrix.rows > 0) return fill_rows(network_.encoder, to);
    copy_identity(config_.vocabulary, config_.vocabulary, to);
    return "made: the identity, since inputs are one-hot";
  }

  // Rows that may be shorter than those of the network: inputs from the last layer.
  std::string fill_rows(const FoundTensor& tensor, std::span<float> to) const {
    const MatrixValue& matrix = tensor.matrix;
    copy_gates(matrix, 1, matrix.rows, std::ssize(to) / matrix.rows, to);
    return tensor.source;
  }

  static std::string fill_vector(const FoundTensor& tensor, int gates, std::int64_t wide, std::span<float> to) {
    if (tensor.matrix.numbers.empty()) return "made: zeros, since the file has no such bias";
    copy_bias(tensor.matrix, gates, wide, to);
    return tensor.source;
  }

  // "rnn.weight_ih_l0"
  std::string fill_recurrent(const std::string& name, std::span<float> to) const {
    const std::size_t digits = name.rfind("_l") + 2;
    const FoundLayer& layer = network_.layers.at(static_cast<std::size_t>(std::stoll(name.substr(digits))));
    const int gates = gate_count(config_.cell);
    const std::int64_t H = config_.hidden;
    if (name.starts_with("rnn.bias_ih")) return fill_vector(layer.bias_ih, gates, H, to);
    if (name.starts_with("rnn.bias_hh")) return fill_vector(layer.bias_hh, gates, H, to);
    const FoundTensor& tensor = name.starts_with("rnn.weight_ih") ? layer.weight_ih : layer.weight_hh;
    copy_gates(tensor.matrix, gates, H, std::ssize(to) / (gates * H), to);
    return tensor.source;
  }

  const FoundNetwork& network_;
  const NetworkConfig& config_;
};

}  // namespace

void check_found(const FoundNetwork& network, const std::string& where) { FoundCheck(network, where).run(); }

NetworkConfig config_of(const FoundNetwork& network) {
  const std::int64_t V = network.symbols();
  return {.cell = network.cell,
          .vocabulary = V,
          .embed = network.encoder.matrix.rows > 0 ? network.encoder.matrix.cols : V,
          .hidden = widest_layer(network),
          .layers = std::ssize(network.layers),
          .tied = network.decoder.matrix.rows == 0};
}

BuiltNetwork build_network(const FoundNetwork& network) {
  const NetworkConfig config = config_of(network);
  BuiltNetwork built{.config = config, .parameters = Parameters(config), .tensors = {}};
  const NetworkBuilder builder(network, built.config);
  for (const ParameterTensor& tensor : built.parameters.tensors()) {
    const std::string source = builder.fill(tensor.name, built.parameters.values(tensor));
    built.tensors.push_back({.name = tensor.name, .shape = tensor.shape, .source = source});
  }
  return built;
}

}  // namespace unroll
