#include "exchange/torch_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "base/quote.h"
#include "exchange/recurrent_names.h"
#include "exchange/row_norms.h"
#include "exchange/tensor_groups.h"
#include "exchange/torch_refusals.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// The tensors of one level of a recurrent module, by their part.
using LevelTensors = std::map<std::string, const NamedTensor*>;

// A recurrent module: its levels from the input on.
struct RecurrentModule {
  std::string name;
  std::map<std::int64_t, LevelTensors> levels;
};

// The module that a tensor belongs to. Wrappers that change weights in training have the true module below them.
std::string unwrapped(std::string_view module) {
  constexpr std::string_view kWrapped = ".module";
  if (module.ends_with(kWrapped)) module.remove_suffix(kWrapped.size());
  return std::string(module);
}

std::string joined_names(const std::vector<const NamedTensor*>& tensors) {
  constexpr std::size_t kShown = 4;
  std::string names;
  for (std::size_t i = 0; i < std::min(tensors.size(), kShown); ++i) {
    names += (i > 0 ? ", " : "") + shown_name(tensors[i]->name);
  }
  return tensors.size() > kShown ? fmt::format("{} and {} more", names, tensors.size() - kShown) : names;
}

// Reads one group as a network.
class TorchNetworkReader {
 public:
  TorchNetworkReader(const ForeignFile& checkpoint, const TensorGroup& group)
      : checkpoint_(checkpoint), graph_(checkpoint.values), group_(group) {}

  FoundNetwork read() {
    sort_tensors();
    check_module_classes();
    FoundNetwork network;
    network_ = &network;
    read_layers(network);
    sort_matrices(network);
    read_output(network);
    shorten_embedding(network);
    if (!others_.empty()) {
      refuse(
          fmt::format("it has tensors that have no place in a network of embedding, recurrent layers and linear "
                      "output layer: {}",
                      joined_names(others_)));
    }
    return network;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::kFormat, fmt::format("'{}': {}", checkpoint_.path, why));
  }

  void sort_tensors() {
    for (const NamedTensor& tensor : group_.tensors) {
      const std::optional<RecurrentName> name = parse_recurrent_name(tensor.leaf());
      if (name) {
        add_recurrent(tensor, *name);
      } else if (tensor.leaf() == "weight" && graph_.tensor(tensor.id).shape.size() == 2) {
        (modules_.empty() ? before_ : after_).push_back(&tensor);
      } else {
        others_.push_back(&tensor);
      }
    }
  }

  void add_recurrent(const NamedTensor& tensor, const RecurrentName& name) {
    if (name.is_reverse) {
      refuse(fmt::format("{} reads texts backwards: a network of both directions is not a language model",
                         shown_name(tensor.name)));
    }
    if (name.part == "weight_hr") {
      refuse(fmt::format("{} projects the state of an LSTM (proj_size), which no cell of unroll does",
                         shown_name(tensor.name)));
    }
    const std::string module = unwrapped(tensor.module());
    const auto same = [&](const RecurrentModule& candidate) { return candidate.name == module; };
    auto found = std::ranges::find_if(modules_, same);
    if (found == modules_.end()) found = modules_.insert(found, {.name = module, .levels = {}});
    const NamedTensor*& place = found->levels[name.level][name.part];
    // The raw weight is what is trained; beside it stands a copy of it with dropped-out units.
    if (place == nullptr || name.is_raw) place = &tensor;
  }

  void check_module_classes() const {
    for (const NamedModule& module : group_.modules) {
      const std::string why = module_refusal(module.class_name);
      if (!why.empty()) refuse(fmt::format("module {} {}", quote(module.name), why));
    }
  }

  // Of numbers that are weights.
  FoundTensor take(const NamedTensor& tensor) {
    const TensorValue& value = graph_.tensor(tensor.id);
    const ElementType type = graph_.storage_of(value).type;
    const std::string name = shown_name(tensor.name);
    const bool is_real = type == ElementType::kF64 || type == ElementType::kF32 || type == ElementType::kF16 ||
                         type == ElementType::kBf16;
    if (!is_real) refuse(fmt::format("tensor {} is of {}: expected floating point", name, element_type_name(type)));
    FoundTensor found{.matrix = read_matrix(graph_, value, name),
                      .source = fmt::format("{} [{}] {}", name, fmt::join(value.shape, ", "), element_type_name(type))};
    if (found.matrix.rounded > 0) {
      network_->notes.push_back(fmt::format("{}: {} of {} numbers were rounded to f32", name, found.matrix.rounded,
                                            found.matrix.numbers.size()));
    }
    return found;
  }

  FoundTensor take_part(const LevelTensors& level, const std::string& part) {
    const auto found = level.find(part);
    return found == level.end() ? FoundTensor() : take(*found->second);
  }

  void read_layers(FoundNetwork& network) {
    std::optional<Cell> cell;
    for (const RecurrentModule& module : modules_) {
      for (const auto& [number, level] : module.levels) {
        if (!level.contains("weight_ih") || !level.contains("weight_hh")) {
          refuse(fmt::format("level {} of {} lacks weight_ih or weight_hh", number, quote(module.name)));
        }
        FoundLayer layer{.weight_ih = take_part(level, "weight_ih"),
                         .weight_hh = take_part(level, "weight_hh"),
                         .bias_ih = take_part(level, "bias_ih"),
                         .bias_hh = take_part(level, "bias_hh")};
        const Cell found = cell_of(module, layer);
        if (cell && *cell != found) refuse("its layers have different cells");
        cell = found;
        network.layers.push_back(std::move(layer));
      }
    }
    network.cell = *cell;
  }

  // By the rows of the recurrent weight, a block of H for each gate.
  Cell cell_of(const RecurrentModule& module, const FoundLayer& layer) {
    const std::int64_t H = layer.width();
    const std::int64_t rows = layer.weight_hh.matrix.rows;
    if (H > 0 && rows == 4 * H) return Cell::kLstm;
    if (H > 0 && rows == 3 * H) return Cell::kGru;
    if (H > 0 && rows == H) return simple_cell(module);
    refuse(fmt::format("{} has {} rows and {} columns: expected 4, 3 or 1 times as many rows as columns",
                       layer.weight_hh.source, rows, H));
  }

  Cell simple_cell(const RecurrentModule& module) {
    for (const std::string_view attribute : {"mode", "nonlinearity"}) {
      const std::string name = text_of(group_.attribute(graph_, module.name, attribute));
      if (name == "RNN_RELU" || name == "relu") return Cell::kRnnRelu;
      if (name == "RNN_TANH" || name == "tanh") return Cell::kRnnTanh;
    }
    if (mentions_relu(checkpoint_)) return Cell::kRnnRelu;
    if (!said_tanh_) {
      network_->notes.emplace_back("the file does not say which function its units have: tanh is PyTorch's default");
      said_tanh_ = true;
    }
    return Cell::kRnnTanh;
  }

  [[nodiscard]] std::string text_of(ValueId id) const {
    return graph_.is(id, ValueKind::kString) ? graph_[id].text : std::string();
  }

  [[nodiscard]] const NamedTensor* tensor_named(const std::string& name) const {
    const auto found = std::ranges::find(group_.tensors, name, &NamedTensor::name);
    return found == group_.tensors.end() ? nullptr : &*found;
  }

  // Whether a matrix is an embedding: by its class, by a bias, which embeddings lack, by its name, else by its place.
  [[nodiscard]] bool is_embedding(const NamedTensor& tensor, bool stands_before) const {
    const std::string_view class_name = group_.class_of(tensor.module());
    if (class_name.ends_with(".Embedding")) return true;
    if (class_name.ends_with(".Linear")) return false;
    if (tensor_named(std::string(tensor.module()) + ".bias") != nullptr) return false;
    return embedding_by_name(tensor.module()).value_or(stands_before);
  }

  // Shares the numbers of another tensor, or repeats them.
  [[nodiscard]] bool repeats(const NamedTensor& tensor, const NamedTensor& other) const {
    const TensorValue& a = graph_.tensor(tensor.id);
    const TensorValue& b = graph_.tensor(other.id);
    if (a.shape != b.shape) return false;
    if (a.storage == b.storage && a.offset == b.offset && a.strides == b.strides) return true;
    return read_matrix(graph_, a, shown_name(tensor.name)).numbers ==
           read_matrix(graph_, b, shown_name(other.name)).numbers;
  }

  void sort_matrices(FoundNetwork& network) {
    std::vector<const NamedTensor*> embeddings;
    for (const auto* side : {&before_, &after_}) {
      for (const NamedTensor* tensor : *side) {
        (is_embedding(*tensor, side == &before_) ? embeddings : linears_).push_back(tensor);
      }
    }
    while (embeddings.size() > 1 && repeats(*embeddings.back(), *embeddings.front())) embeddings.pop_back();
    if (embeddings.size() > 1) refuse(fmt::format("it has more than one embedding: {}", joined_names(embeddings)));
    if (embeddings.empty()) return;
    embedding_ = embeddings.front();
    network.encoder = take(*embedding_);
  }

  void read_output(FoundNetwork& network) {
    if (linears_.size() > 1) {
      refuse(fmt::format("it has more linear layers than an output layer: {}", joined_names(linears_)));
    }
    if (linears_.empty() && embedding_ == nullptr)
      refuse("it has recurrent layers and neither embedding nor output layer");
    if (linears_.empty()) {
      network.notes.push_back(
          fmt::format("it has no matrix of an output layer: that of {} is taken, as with tied weights",
                      shown_name(embedding_->name)));
      take_lone_bias(network);
      return;
    }
    const NamedTensor& decoder = *linears_.front();
    if (const NamedTensor* bias = tensor_named(std::string(decoder.module()) + ".bias")) take_bias(*bias, network);
    if (embedding_ == nullptr || !repeats(decoder, *embedding_)) {
      network.decoder = take(decoder);
    } else {
      network.notes.push_back(fmt::format("{} and {} are the same: the weights are tied", shown_name(embedding_->name),
                                          shown_name(decoder.name)));
    }
  }

  // A whole module says whether its embedding shortens rows when it looks them up. Where the output layer has the same
  // rows they change with what was read, which is no fixed network.
  void shorten_embedding(FoundNetwork& network) {
    if (embedding_ == nullptr) return;
    const std::optional<double> max_norm = number_of("max_norm");
    if (!max_norm) return;
    const double p = number_of("norm_type").value_or(2);
    if (!(*max_norm >= 0) || !(p > 0))
      refuse(fmt::format("its embedding has max_norm {} and norm_type {}", *max_norm, p));
    const std::int64_t shortened = shorten_rows(network.encoder.matrix, *max_norm, p);
    if (shortened == 0) return;
    if (network.decoder.matrix.rows == 0) {
      refuse(
          fmt::format("its embedding has max_norm {} and shares its rows with the output layer, which change there as "
                      "symbols are read: expected weights that are not tied, or rows below max_norm",
                      *max_norm));
    }
    network.notes.push_back(
        fmt::format("{}: {} of {} rows were longer than max_norm {}, and are as long as that, as "
                    "where PyTorch looks them up",
                    shown_name(embedding_->name), shortened, network.encoder.matrix.rows, *max_norm));
  }

  // An attribute of the embedding's module.
  [[nodiscard]] std::optional<double> number_of(std::string_view attribute) const {
    const ValueId id = group_.attribute(graph_, embedding_->module(), attribute);
    if (graph_.is(id, ValueKind::kReal)) return graph_[id].real;
    if (graph_.is(id, ValueKind::kInteger)) return static_cast<double>(graph_[id].integer);
    return std::nullopt;
  }

  void take_bias(const NamedTensor& bias, FoundNetwork& network) {
    network.decoder_bias = take(bias);
    std::erase(others_, &bias);
  }

  // Of a state dict that leaves out one of two names of a tied weight.
  void take_lone_bias(FoundNetwork& network) {
    if (others_.size() == 1 && others_.front()->leaf() == "bias") take_bias(*others_.front(), network);
  }

  const ForeignFile& checkpoint_;
  const ValueGraph& graph_;
  const TensorGroup& group_;
  FoundNetwork* network_ = nullptr;
  std::vector<RecurrentModule> modules_;
  std::vector<const NamedTensor*> before_;  // matrices that stand before the recurrent modules, and after them
  std::vector<const NamedTensor*> after_;
  std::vector<const NamedTensor*> linears_;
  std::vector<const NamedTensor*> others_;
  const NamedTensor* embedding_ = nullptr;
  bool said_tanh_ = false;
};

bool has_recurrent(const TensorGroup& group) {
  return std::ranges::any_of(group.tensors, [](const NamedTensor& tensor) {
    const std::optional<RecurrentName> name = parse_recurrent_name(tensor.leaf());
    return name && name->part == "weight_hh";
  });
}

// The loss that is saved beside a network may predict clusters of words first (AWD-LSTM, for large vocabularies), which
// the network's own tensors do not show.
void expect_no_clusters(const ForeignFile& checkpoint, const TensorGroup& group) {
  for (const NamedTensor& tensor : group.tensors) {
    if (tensor.leaf() != "tail_vectors") continue;
    throw Error(
        ErrorCode::kFormat,
        fmt::format("'{}': {} belongs to a softmax that predicts clusters of words first: expected one over all "
                    "words",
                    checkpoint.path, shown_name(tensor.name)));
  }
}

}  // namespace

FoundNetwork find_torch_network(const ForeignFile& checkpoint) {
  const std::vector<TensorGroup> groups = tensor_groups(checkpoint);
  const auto first = std::ranges::find_if(groups, has_recurrent);
  if (first == groups.end()) {
    throw Error(ErrorCode::kFormat, fmt::format("'{}': {}", checkpoint.path, why_not_recurrent(checkpoint, groups)));
  }
  for (const TensorGroup& group : groups) expect_no_clusters(checkpoint, group);
  FoundNetwork network = TorchNetworkReader(checkpoint, *first).read();
  for (auto other = first + 1; other != groups.end(); ++other) {
    if (!has_recurrent(*other)) continue;
    network.notes.push_back(fmt::format("the file holds another network, under {}, which is not read", other->path));
  }
  check_found(network, fmt::format("'{}'", checkpoint.path));
  return network;
}

}  // namespace unroll
