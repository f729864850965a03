#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>

#include "unroll/error.h"
#include "unroll/export.h"

namespace unroll {
namespace {

// Why PyTorch has no modules for a network; empty if it has.
std::string missing_module(const NetworkConfig& config) {
  switch (config.cell) {
    case Cell::kRnnTanh:
    case Cell::kRnnRelu:
    case Cell::kLstm:
    case Cell::kGru:
      break;
    case Cell::kGruResetBefore:
      return "nn.GRU multiplies by the reset gate after the recurrent product, and gru-reset-before before it";
    case Cell::kMinGru:
    case Cell::kMinLstm:
      return fmt::format("it has no cell {}", cell_name(config.cell));
  }
  if (config.layer_norm) return "its cells have no layer normalisation";
  if (config.residual) return "its layers have no residual connections";
  if (config.characters > 0) return "the network reads the characters of each word";
  if (predicts_texts(config)) return "the network predicts in both directions";
  return {};
}

// Writes the class, line by line.
class ModuleWriter {
 public:
  explicit ModuleWriter(const NetworkConfig& config) : c_(config) {}

  std::string write() {
    add("# Rebuilds a network of unroll in PyTorch: network = load(\"FILE.pt\"). What ids and outputs mean: "
        "description().");
    add("import json");
    add("import zipfile");
    add("");
    add("import torch");
    add("from torch import nn");
    add("");
    add("");
    add("class Network(nn.Module):");
    write_parts();
    add("");
    if (c_.conditions > 0) write_initial_state();
    write_forward();
    add("");
    add("");
    add("def load(path):");
    add("    network = Network()");
    add("    network.load_state_dict(torch.load(path, map_location=\"cpu\", weights_only=True))");
    add("    return network.eval()");
    add("");
    add("");
    add("def description(path):  # the vocabulary, names of labels, settings, the training");
    add("    return json.loads(zipfile.ZipFile(path).read(\"archive/unroll.json\"))");
    return text_;
  }

 private:
  void add(std::string_view line) {
    text_ += line;
    text_ += '\n';
  }

  [[nodiscard]] std::int64_t outputs() const { return output_count(c_); }

  [[nodiscard]] std::string recurrent() const {
    std::string module = "nn.RNN";
    if (c_.cell == Cell::kLstm) module = "nn.LSTM";
    if (c_.cell == Cell::kGru) module = "nn.GRU";
    return fmt::format("{}({}, {}, {}{}{})", module, c_.embed, c_.hidden, c_.layers,
                       c_.cell == Cell::kRnnRelu ? ", nonlinearity=\"relu\"" : "",
                       c_.bidirectional ? ", bidirectional=True" : "");
  }

  void write_parts() {
    add("    def __init__(self):");
    add("        super().__init__()");
    if (c_.vocabulary > 0) add(fmt::format("        self.encoder = nn.Embedding({}, {})", c_.vocabulary, c_.embed));
    add("        self.rnn = " + recurrent());
    if (c_.conditions > 0) {
      add(fmt::format("        names = [f\"{{s}}_l{{k}}\" for k in range({}) for s in \"{}\"]", c_.layers, states()));
      add(fmt::format(
          "        self.condition = nn.ParameterDict({{n: nn.Parameter(torch.zeros({}, {})) for n in names}})",
          c_.conditions, c_.hidden));
    }
    if (has_projection(c_)) {
      add(fmt::format("        self.projection = nn.Linear({}, {}, bias=False)", c_.hidden, c_.embed));
    }
    if (c_.readout == Readout::kAttention) {
      add(fmt::format("        self.attention = nn.Linear({}, 1, bias=False)", level_outputs(c_)));
    }
    write_decoder();
  }

  void write_decoder() {
    if (!c_.cutoffs.empty()) {
      add(
          fmt::format("        self.decoder = nn.AdaptiveLogSoftmaxWithLoss(\n            {}, {}, cutoffs=[{}], "
                      "div_value=4, head_bias=True)",
                      c_.hidden, c_.vocabulary, fmt::join(c_.cutoffs, ", ")));
      return;
    }
    add(fmt::format("        self.decoder = nn.Linear({}, {})", decoder_inputs(c_), outputs()));
    if (c_.tied) add("        self.decoder.weight = self.encoder.weight");
    if (has_crf()) {
      add("        # A sequence of labels y scores start[y_1] + sum of scores[t, y_t] + sum of transitions[y_t, "
          "y_t+1]");
      add("        # + end[y_n].");
      add("        self.crf = nn.ParameterDict({");
      add(fmt::format("            \"transitions\": nn.Parameter(torch.zeros({0}, {0})),", outputs()));
      add(fmt::format("            \"start_transitions\": nn.Parameter(torch.zeros({})),", outputs()));
      add(fmt::format("            \"end_transitions\": nn.Parameter(torch.zeros({}))}})", outputs()));
    }
  }

  [[nodiscard]] bool has_crf() const { return c_.outputs > 0 && c_.loss == Loss::kCrf; }
  [[nodiscard]] std::string_view states() const { return has_cell_state(c_.cell) ? "hc" : "h"; }

  void write_initial_state() {
    add("    def initial_state(self, labels):  # (B): places in the list of labels");
    add(fmt::format("        states = [torch.stack([self.condition[f\"{{s}}_l{{k}}\"][labels] for k in range({})])",
                    c_.layers));
    add(fmt::format("                  for s in \"{}\"]", states()));
    add(has_cell_state(c_.cell) ? "        return tuple(states)" : "        return states[0]");
    add("");
  }

  void write_forward() {
    const std::string input = c_.vocabulary > 0 ? "ids" : "numbers";
    add(fmt::format(
        "    def forward(self, {}, state=None):  # {}", input,
        c_.vocabulary > 0 ? "(T, B)" : fmt::format("(T, B, {}), after input_shift and input_factor", c_.embed)));
    add(fmt::format("        h, state = self.rnn({}, state)", c_.vocabulary > 0 ? "self.encoder(ids)" : input));
    if (!c_.cutoffs.empty()) {
      add("        log_probs = self.decoder.log_prob(h.flatten(0, 1))");
      add(fmt::format("        return log_probs.unflatten(0, h.shape[:2]), state  # (T, B, {})", outputs()));
      return;
    }
    if (c_.readout != Readout::kSteps) return write_readout();
    const std::string_view read = has_projection(c_) ? "self.projection(h)" : "h";
    add(fmt::format("        return self.decoder({}), state  # {} (T, B, {})", read,
                    c_.loss == Loss::kSquared ? "numbers, before output_factor and output_shift" : "scores",
                    outputs()));
  }

  // Of texts that are equally long and are read in one piece.
  void write_readout() {
    switch (c_.readout) {
      case Readout::kSteps:
        break;
      case Readout::kLast:
        add(fmt::format("        y = {}", last()));
        break;
      case Readout::kMax:
        add("        y = h.max(0).values");
        break;
      case Readout::kMean:
        add("        y = h.mean(0)");
        break;
      case Readout::kConcat:
        add(fmt::format("        y = torch.cat([{}, h.max(0).values, h.mean(0)], -1)", last()));
        break;
      case Readout::kAttention:
        add("        y = (self.attention(torch.tanh(h)).softmax(0) * h).sum(0)");
        break;
    }
    add(fmt::format("        return self.decoder(y)  # {} (B, {})",
                    c_.loss == Loss::kSquared ? "numbers, before output_factor and output_shift" : "scores",
                    outputs()));
  }

  // The output of each direction after the whole text.
  [[nodiscard]] std::string last() const {
    if (!c_.bidirectional) return "h[-1]";
    return fmt::format("torch.cat([h[-1, :, :{0}], h[0, :, {0}:]], -1)", c_.hidden);
  }

  const NetworkConfig& c_;
  std::string text_;
};

}  // namespace

std::string pytorch_module(const Model& model) {
  const std::string reason = missing_module(model.config());
  if (!reason.empty()) {
    throw Error(ErrorCode::kUsage, fmt::format("PyTorch has no module for this network: {}", reason));
  }
  return ModuleWriter(model.config()).write();
}

}  // namespace unroll
