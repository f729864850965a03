#include "exchange/column_network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/quote.h"
#include "unroll/character.h"
#include "unroll/error.h"

namespace unroll {
namespace {

[[noreturn]] void refuse_columns(const ForeignFile& file, const std::string& why) {
  throw Error(ErrorCode::kFormat, fmt::format("'{}': {}", file.path, why));
}

FoundTensor read_found(const ForeignFile& file, ValueId id, const std::string& name) {
  if (!file.values.is(id, ValueKind::kTensor)) refuse_columns(file, fmt::format("tensor {} is missing", name));
  const TensorValue& tensor = file.values.tensor(id);
  const std::string what = fmt::format("'{}': tensor {}", file.path, name);
  return {.matrix = read_matrix(file.values, tensor, what),
          .source = fmt::format("{} [{}] {}", name, fmt::join(tensor.shape, ", "),
                                element_type_name(file.values.storage_of(tensor).type))};
}

MatrixValue transposed(const MatrixValue& matrix) {
  MatrixValue turned{.rows = matrix.cols, .cols = matrix.rows, .numbers = {}, .rounded = matrix.rounded};
  for (std::int64_t c = 0; c < matrix.cols; ++c) {
    for (std::int64_t r = 0; r < matrix.rows; ++r) {
      turned.numbers.push_back(matrix.numbers[static_cast<std::size_t>(r * matrix.cols + c)]);
    }
  }
  return turned;
}

// Rows [first, last) of a matrix whose gates of rows are given in the order in which they are to be.
MatrixValue gates_of(const MatrixValue& columns, std::int64_t first, std::int64_t last, std::span<const int> gates) {
  const std::int64_t units = columns.cols / std::ssize(gates);
  MatrixValue result{.rows = columns.cols, .cols = last - first, .numbers = {}};
  for (const int gate : gates) {
    for (std::int64_t unit = 0; unit < units; ++unit) {
      for (std::int64_t r = first; r < last; ++r) {
        result.numbers.push_back(columns.numbers[static_cast<std::size_t>(r * columns.cols + gate * units + unit)]);
      }
    }
  }
  return result;
}

// A layer from a matrix (inputs + H, G*H) and a bias (G*H), whose gates stand at these places of ours.
FoundLayer layer_of(const ForeignFile& file, const FoundTensor& weight, const FoundTensor& bias,
                    std::span<const int> gates) {
  const std::int64_t units = weight.matrix.cols / std::ssize(gates);
  const std::int64_t inputs = weight.matrix.rows - units;
  if (units < 1 || inputs < 1 || units * std::ssize(gates) != weight.matrix.cols ||
      std::ssize(bias.matrix.numbers) != weight.matrix.cols) {
    refuse_columns(file, fmt::format("{} and {} do not fit each other: expected [inputs + H, {} H] and [{} H]",
                                     weight.source, bias.source, gates.size(), gates.size()));
  }
  FoundLayer layer;
  layer.weight_ih = {.matrix = gates_of(weight.matrix, 0, inputs, gates),
                     .source = fmt::format("rows 0 to {} of {}, transposed", inputs - 1, weight.source)};
  layer.weight_hh = {
      .matrix = gates_of(weight.matrix, inputs, weight.matrix.rows, gates),
      .source = fmt::format("rows {} to {} of {}, transposed", inputs, weight.matrix.rows - 1, weight.source)};
  layer.bias_ih = {.matrix = gates_of(bias.matrix, 0, 1, gates), .source = bias.source};
  std::swap(layer.bias_ih.matrix.rows, layer.bias_ih.matrix.cols);
  return layer;
}

constexpr std::array<int, 1> kOneGate{0};
constexpr std::array<int, 4> kTorch7Gates{0, 1, 3, 2};      // i f g o, out of i f o g
constexpr std::array<int, 4> kTensorFlowGates{0, 2, 1, 3};  // i f g o, out of i j f o

// ---- Torch 7

class Torch7Network {
 public:
  explicit Torch7Network(const ForeignFile& file) : file_(file), graph_(file.values) {}

  FoundNetwork find() {
    const ValueId model = language_model();
    const ValueId state = graph_.item(model, kState);
    const ValueId normalised = graph_.find(state, "batchnorm");
    if (graph_.is(normalised, ValueKind::kInteger) && graph_[normalised].integer != 0) {
      refuse_columns(file_, "it has batch normalisation, which no network of unroll has");
    }
    add_modules(graph_.find(graph_.item(graph_.find(state, "net"), kState), "modules"));
    network_.vocabulary = {.path = "idx_to_token", .symbols = tokens(graph_.find(state, "idx_to_token"))};
    return std::move(network_);
  }

 private:
  ValueId language_model() const {
    for (const ValueId id : {file_.root, graph_.find(file_.root, "model")}) {
      if (graph_.is(id, ValueKind::kObject) && graph_[id].text == "nn.LanguageModel") return id;
    }
    refuse_columns(file_, "it holds no nn.LanguageModel: networks of torch-rnn are read, and no others of Torch 7");
  }

  void add_modules(ValueId modules) {
    const std::map<std::int64_t, ValueId> by_place = numbered(modules);
    for (const auto& [place, module] : by_place) {
      if (graph_.is(module, ValueKind::kObject)) add_module(module);
    }
    if (network_.encoder.source.empty() || network_.decoder.source.empty()) {
      refuse_columns(file_, "its nn.LanguageModel has no nn.LookupTable at its start or no nn.Linear at its end");
    }
  }

  void add_module(ValueId module) {
    const std::string& name = graph_[module].text;
    const ValueId state = graph_.item(module, kState);
    const auto tensor = [&](const char* field) {
      return read_found(file_, graph_.find(state, field), fmt::format("{}.{}", name, field));
    };
    if (name == "nn.View" || name == "nn.Dropout") return;
    const bool is_simple = name == "nn.VanillaRNN";
    if (name == "nn.LookupTable" && network_.encoder.source.empty()) {
      network_.encoder = tensor("weight");
    } else if ((name == "nn.LSTM" || is_simple) && network_.decoder.source.empty()) {
      const Cell cell = is_simple ? Cell::kRnnTanh : Cell::kLstm;
      if (!network_.layers.empty() && network_.cell != cell) refuse_columns(file_, "its layers have different cells");
      network_.cell = cell;
      const std::span<const int> gates = is_simple ? std::span<const int>(kOneGate) : kTorch7Gates;
      network_.layers.push_back(layer_of(file_, tensor("weight"), tensor("bias"), gates));
    } else if (name == "nn.Linear" && network_.decoder.source.empty()) {
      network_.decoder = tensor("weight");
      network_.decoder_bias = tensor("bias");
    } else {
      refuse_columns(file_, fmt::format("its network has a {} that no network of unroll has", quote(name)));
    }
  }

  // The values under whole numbers.
  [[nodiscard]] std::map<std::int64_t, ValueId> numbered(ValueId table) const {
    std::map<std::int64_t, ValueId> values;
    if (!graph_.is(table, ValueKind::kDict)) return values;
    const std::vector<ValueId>& items = graph_[table].items;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (!graph_.is(items[i], ValueKind::kInteger)) continue;
      if (!values.emplace(graph_[items[i]].integer, items[i + 1]).second) {
        refuse_columns(file_, fmt::format("a table has the key {} twice", graph_[items[i]].integer));
      }
    }
    return values;
  }

  // Symbols by their numbers, from 1 on; none where the table is something else.
  [[nodiscard]] std::vector<std::string> tokens(ValueId table) const {
    std::vector<std::string> symbols;
    for (const auto& [number, symbol] : numbered(table)) {
      if (number != std::ssize(symbols) + 1 || !graph_.is(symbol, ValueKind::kString)) return {};
      symbols.push_back(graph_[symbol].text);
    }
    return symbols;
  }

  const ForeignFile& file_;
  const ValueGraph& graph_;
  FoundNetwork network_;
};

// ---- TensorFlow

class TensorFlowNetwork {
 public:
  explicit TensorFlowNetwork(const ForeignFile& file) : file_(file), graph_(file.values) {
    if (!graph_.is(file.root, ValueKind::kDict)) refuse_columns(file_, "it holds no tensors");
    const std::vector<ValueId>& items = graph_[file.root].items;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (graph_.is(items[i + 1], ValueKind::kTensor)) sort(graph_[items[i]].text, items[i + 1]);
    }
  }

  FoundNetwork find() {
    if (kernels_.empty()) {
      refuse_columns(file_,
                     "it has no LSTM cells (.../cell_0/.../kernel): networks of an embedding, BasicLSTMCell or "
                     "LSTMCell, and softmax_w are read");
    }
    for (const auto& [level, kernel] : kernels_) add_layer(level, kernel);
    network_.encoder = read_found(file_, embedding_.id, embedding_.name.empty() ? "embedding" : embedding_.name);
    network_.decoder = read_found(file_, softmax_.id, softmax_.name.empty() ? "softmax_w" : softmax_.name);
    network_.decoder.matrix = transposed(network_.decoder.matrix);
    network_.decoder.source += ", transposed";
    if (softmax_bias_.id != kNoValue) {
      network_.decoder_bias = read_found(file_, softmax_bias_.id, softmax_bias_.name);
    }
    if (!others_.empty())
      refuse_columns(file_, fmt::format("tensor {} has no place in such a network", others_.front()));
    network_.notes.push_back("forget gates: 1 is added to their stored biases, as BasicLSTMCell does when it runs");
    find_vocabulary();
    return std::move(network_);
  }

 private:
  struct Named {
    std::string name;
    ValueId id = kNoValue;
  };

  // What optimizers and loops keep for themselves.
  [[nodiscard]] bool is_of_training(const std::string& name, ValueId id) const {
    const bool is_moment = name.find("/Adam") != std::string::npos || name.find("/RMSProp") != std::string::npos ||
                           name.find("/Momentum") != std::string::npos || name.find("/Adagrad") != std::string::npos;
    return is_moment || graph_.tensor(id).shape.empty();
  }

  void sort(const std::string& name, ValueId id) {
    if (is_of_training(name, id)) return;
    const std::string leaf = name.substr(name.rfind('/') + 1);
    const std::size_t cell = name.find("cell_");
    if (leaf == "embedding" || leaf == "softmax_w" || leaf == "softmax_b") {
      Named& place = leaf == "embedding" ? embedding_ : leaf == "softmax_w" ? softmax_ : softmax_bias_;
      if (place.id != kNoValue) others_.push_back(shown_name(name));
      place = {.name = shown_name(name), .id = id};
      return;
    }
    const bool is_kernel = leaf == "kernel" || leaf == "weights";
    const bool is_bias = leaf == "bias" || leaf == "biases";
    const bool is_lstm = name.find("lstm_cell/") != std::string::npos;
    std::int64_t level = 0;
    if (cell != std::string::npos) std::from_chars(name.data() + cell + 5, name.data() + name.size(), level);
    std::map<std::int64_t, Named>& places = is_bias ? biases_ : kernels_;
    const bool has_place = is_lstm && (is_kernel || is_bias) && !places.contains(level);
    if (!has_place) {
      others_.push_back(shown_name(name));
      return;
    }
    places[level] = {.name = shown_name(name), .id = id};
  }

  void add_layer(std::int64_t level, const Named& kernel) {
    if (level != std::ssize(network_.layers)) {
      refuse_columns(file_, fmt::format("cell {} is missing", network_.layers.size()));
    }
    const auto bias = biases_.find(level);
    if (bias == biases_.end()) refuse_columns(file_, fmt::format("the bias of {} is missing", kernel.name));
    const FoundTensor weight = read_found(file_, kernel.id, kernel.name);
    FoundLayer layer = layer_of(file_, weight, read_found(file_, bias->second.id, bias->second.name), kTensorFlowGates);
    const std::int64_t units = layer.width();
    for (std::int64_t u = units; u < 2 * units; ++u) layer.bias_ih.matrix.numbers[static_cast<std::size_t>(u)] += 1;
    layer.bias_ih.source += ", 1 added to f";
    network_.layers.push_back(std::move(layer));
  }

  // "vocab.json" of a folder: ids by symbol.
  void find_vocabulary() {
    const ValueId held = graph_.find(file_.root, "vocab.json");
    if (!graph_.is(held, ValueKind::kDict)) return;
    const std::vector<ValueId>& items = graph_[held].items;
    std::map<std::int64_t, std::string> symbols;
    std::vector<std::string> faults;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      const std::string& symbol = graph_[items[i]].text;
      const bool is_id = graph_.is(items[i + 1], ValueKind::kInteger);
      const std::int64_t id = is_id ? graph_[items[i + 1]].integer : -1;
      if (id < 0 || id >= network_.symbols()) {
        faults.push_back(fmt::format("the key {} has no id below {}", quote(symbol), network_.symbols()));
      } else if (!symbols.emplace(id, symbol).second) {
        faults.push_back(fmt::format("the keys {} and {} are both {}", quote(symbols[id]), quote(symbol), id));
      } else if (symbol.empty() || first_character(symbol).bytes != symbol.size()) {
        faults.push_back(fmt::format("the key {} ({}) is not one character", quote(symbol), id));
      }
    }
    for (std::int64_t id = 0; id < network_.symbols(); ++id) {
      if (!symbols.contains(id)) faults.push_back(fmt::format("no symbol has the id {}", id));
    }
    constexpr std::size_t kShown = 8;
    const bool is_cut = faults.size() > kShown;
    if (is_cut) faults.resize(kShown);
    if (!faults.empty()) {
      throw Error(ErrorCode::kInput,
                  fmt::format("'{}': vocab.json is damaged: {}{}; mend it, or give `vocab`", file_.path,
                              fmt::join(faults, "; "), is_cut ? "; and more" : ""),
                  "vocab");
    }
    network_.vocabulary.path = "vocab.json";
    for (const auto& [id, symbol] : symbols) network_.vocabulary.symbols.push_back(symbol);
  }

  const ForeignFile& file_;
  const ValueGraph& graph_;
  FoundNetwork network_;
  std::map<std::int64_t, Named> kernels_;
  std::map<std::int64_t, Named> biases_;
  Named embedding_;
  Named softmax_;
  Named softmax_bias_;
  std::vector<std::string> others_;
};

}  // namespace

FoundNetwork find_torch7_network(const ForeignFile& file) {
  FoundNetwork network = Torch7Network(file).find();
  check_found(network, fmt::format("'{}'", file.path));
  return network;
}

FoundNetwork find_tensorflow_network(const ForeignFile& file) {
  FoundNetwork network = TensorFlowNetwork(file).find();
  check_found(network, fmt::format("'{}'", file.path));
  return network;
}

std::optional<FoundNetwork> find_uvw_network(const ForeignFile& file) {
  const ValueGraph& graph = file.values;
  const ValueId U = graph.find(file.root, "U");
  const ValueId V = graph.find(file.root, "V");
  const ValueId W = graph.find(file.root, "W");
  if (U == kNoValue || V == kNoValue || W == kNoValue) return std::nullopt;
  FoundNetwork network{.cell = Cell::kRnnTanh};
  network.encoder = read_found(file, U, "U");
  network.encoder.matrix = transposed(network.encoder.matrix);
  network.encoder.source += ", transposed";
  FoundLayer& layer = network.layers.emplace_back();
  layer.weight_hh = read_found(file, W, "W");
  const std::int64_t H = layer.width();
  layer.weight_ih.source = "made: the identity, since U is what the state reads";
  MatrixValue& identity = layer.weight_ih.matrix;
  identity.rows = H;
  identity.cols = H;
  identity.numbers.resize(static_cast<std::size_t>(H * H));
  for (std::int64_t h = 0; h < H; ++h) identity.numbers[static_cast<std::size_t>(h * H + h)] = 1;
  network.decoder = read_found(file, V, "V");
  check_found(network, fmt::format("'{}'", file.path));
  network.vocabulary.path = "the numbers of the words, which the file does not hold";
  for (std::int64_t id = 0; id < network.symbols(); ++id) network.vocabulary.symbols.push_back(std::to_string(id));
  return network;
}

}  // namespace unroll
