#include "exchange/torch_refusals.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/quote.h"

namespace unroll {
namespace {

// Modules that a language model consists of, or that change nothing when it predicts.
constexpr std::array<std::string_view, 26> kHarmlessModules{"Embedding",
                                                            "LSTM",
                                                            "GRU",
                                                            "RNN",
                                                            "RNNBase",
                                                            "LSTMCell",
                                                            "GRUCell",
                                                            "RNNCell",
                                                            "Linear",
                                                            "Dropout",
                                                            "Dropout1d",
                                                            "Dropout2d",
                                                            "AlphaDropout",
                                                            "FeatureAlphaDropout",
                                                            "ModuleList",
                                                            "Module",
                                                            "Identity",
                                                            "Softmax",
                                                            "LogSoftmax",
                                                            "Sequential",
                                                            "ModuleDict",
                                                            "ParameterList",
                                                            "NLLLoss",
                                                            "DataParallel",
                                                            "CrossEntropyLoss",
                                                            "DistributedDataParallel"};

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

// The last part of a name that is not a number: of "layers.fc.0" it is "fc".
std::string last_word(std::string_view module) {
  while (!module.empty()) {
    const std::size_t dot = module.rfind('.');
    const std::string_view last = module.substr(dot == std::string_view::npos ? 0 : dot + 1);
    const bool is_number = !last.empty() && std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number || dot == std::string_view::npos) return lower_ascii(last);
    module = module.substr(0, dot);
  }
  return {};
}

bool any_tensor(const std::vector<TensorGroup>& groups, std::string_view part) {
  for (const TensorGroup& group : groups) {
    for (const NamedTensor& tensor : group.tensors) {
      if (lower_ascii(tensor.name).find(part) != std::string::npos) return true;
    }
  }
  return false;
}

std::string first_names(const std::vector<TensorGroup>& groups) {
  constexpr std::size_t kShown = 6;
  std::string names;
  std::size_t count = 0;
  for (const TensorGroup& group : groups) {
    for (const NamedTensor& tensor : group.tensors) {
      if (count++ < kShown) names += (names.empty() ? "" : ", ") + shown_name(tensor.name);
    }
  }
  return count > kShown ? fmt::format("{} and {} more", names, count - kShown) : names;
}

}  // namespace

std::string module_refusal(std::string_view class_name) {
  const bool is_torch = class_name.starts_with("torch.nn.") || class_name.starts_with("torch.ao.");
  const std::string_view name = class_name.substr(class_name.rfind('.') + 1);
  if (!is_torch || std::ranges::find(kHarmlessModules, name) != kHarmlessModules.end()) return {};
  return fmt::format("is a {}: expected an embedding, recurrent layers, dropout and one linear layer",
                     shown_name(class_name));
}

std::optional<bool> embedding_by_name(std::string_view module) {
  const std::string word = last_word(module);
  for (const std::string_view part : {"emb", "encoder", "wte", "lookup", "i2e"}) {
    if (word.find(part) != std::string::npos) return true;
  }
  for (const std::string_view part : {"decoder", "fc", "linear", "out", "proj", "head", "h2o", "dense", "softmax"}) {
    if (word.find(part) != std::string::npos) return false;
  }
  return std::nullopt;
}

bool mentions_relu(const ForeignFile& checkpoint) {
  constexpr std::array<std::string_view, 7> kSettings{"nonlinearity", "rnn_type",  "model",     "model_type",
                                                      "cell",         "cell_type", "activation"};
  const ValueGraph& graph = checkpoint.values;
  bool mentioned = false;
  walk(graph, checkpoint.root, [&](const WalkedValue& value) {
    for (const std::string_view setting : kSettings) {
      const ValueId id = graph.find(value.id, setting);
      const std::string text = graph.is(id, ValueKind::kString) ? lower_ascii(graph[id].text) : std::string();
      mentioned = mentioned || text == "relu" || text == "rnn_relu";
    }
    return !mentioned;
  });
  return mentioned;
}

std::string why_not_recurrent(const ForeignFile& checkpoint, const std::vector<TensorGroup>& groups) {
  if (groups.empty()) {
    const ValueGraph& graph = checkpoint.values;
    const std::string kind = graph.is(checkpoint.root, ValueKind::kObject)
                                 ? fmt::format("an object of {}", quote(graph[checkpoint.root].text))
                                 : fmt::format("a {}", value_kind_name(graph[checkpoint.root].kind));
    return fmt::format("it holds no network: {} without named tensors", kind);
  }
  const std::string names = first_names(groups);
  if (any_tensor(groups, "i2h") && any_tensor(groups, "i2o")) {
    return fmt::format(
        "its linear layers i2h and i2o read input and state side by side, and the state has no function "
        "such as tanh: that is no cell of unroll ({})",
        names);
  }
  if (any_tensor(groups, "attn") || any_tensor(groups, "attention") || any_tensor(groups, "in_proj")) {
    return fmt::format("it is a network of attention, and not a recurrent one ({})", names);
  }
  if (any_tensor(groups, "conv")) {
    return fmt::format("it is a network of convolutions, and not a recurrent one ({})", names);
  }
  const bool has_linear = any_tensor(groups, ".weight");
  return fmt::format("it has no recurrent layer, whose tensors would be called weight_ih and weight_hh{} ({})",
                     has_linear ? ": it reads windows of fixed length, or is of another kind" : "", names);
}

}  // namespace unroll
