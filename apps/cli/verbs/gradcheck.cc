#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/flags/flags.h"
#include "cli/flags/regularization_flags.h"
#include "cli/streams/output.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/error.h"
#include "unroll/gradcheck.h"

namespace unroll {
namespace {

constexpr std::int64_t kLargestChecked = 64;

struct GradcheckCommand {
  GradientCheckOptions options;
  std::optional<Cell> cell;
  bool json = false;
};

struct CellResult {
  Cell cell;
  std::vector<TensorGradientError> tensors;
};

void set_characters(NetworkConfig* net, std::int64_t units) {
  constexpr std::int64_t kSymbols = 6;
  net->characters = kSymbols;
  net->character_hidden = units;
}

void add_size_flags(Flags* flags, GradientCheckOptions* options) {
  NetworkConfig* const net = &options->config;
  const WholeRange range{1, kLargestChecked};
  flags->heading("Network");
  flags->whole({"--vocab-size", "N", "symbols", std::to_string(net->vocabulary)}, {2, kLargestChecked},
               [net](std::int64_t n) { net->vocabulary = n; });
  flags->whole({"--embed,--emsize", "N", "size of an embedding", std::to_string(net->embed)}, range,
               [net](std::int64_t n) { net->embed = n; });
  flags->whole({"--hidden,--nhid", "N", "units per layer", std::to_string(net->hidden)}, range,
               [net](std::int64_t n) { net->hidden = n; });
  flags->whole({"--layers,--nlayers", "N", "recurrent layers", std::to_string(net->layers)}, range,
               [net](std::int64_t n) { net->layers = n; });
  flags->toggle({"--tied", "", "the output layer shares the embedding's weights", ""}, &net->tied);
  flags->toggle({"--residual", "", "each layer above the first adds its input to its output", ""}, &net->residual);
  flags->toggle({"--layer-norm", "", "layer normalisation inside the cells that have it", ""}, &net->layer_norm);
  flags->text({"--cutoffs", "N,...", "adaptive softmax with clusters from these symbols on", "full softmax"},
              [net](const std::string& value) { net->cutoffs = parse_wholes(value); });
  flags->heading("Task");
  flags->whole({"--outputs", "N", "labels or numbers, instead of the vocabulary", "a language model"},
               {1, kLargestChecked}, [net](std::int64_t n) { net->outputs = n; });
  flags->text({"--readout", "HOW", "with --outputs: steps, last, max, mean, concat or attention",
               std::string(readout_name(net->readout))},
              [net](const std::string& value) { net->readout = parse_readout(value); });
  flags->text({"--loss", "NAME", "with --outputs: softmax, sigmoid, crf or squared", std::string(loss_name(net->loss))},
              [net](const std::string& value) { net->loss = parse_loss(value); });
  flags->toggle({"--bidirectional", "", "with --outputs: layers in both directions", ""}, &net->bidirectional);
  flags->whole({"--chars", "N", "with --outputs: units of a character network", "none"}, range,
               [net](std::int64_t n) { set_characters(net, n); });
  flags->whole({"--conditions", "N", "labels that set the initial state of a language model", "none"}, range,
               [net](std::int64_t n) { net->conditions = n; });
  flags->heading("Window");
  flags->whole({"--bptt,--seq-length", "N", "steps", std::to_string(options->steps)}, range,
               [options](std::int64_t n) { options->steps = n; });
  flags->whole({"--batch-size", "N", "rows", std::to_string(options->rows)}, range,
               [options](std::int64_t n) { options->rows = n; });
  flags->seed(&options->seed);
  add_regularization_flags(flags, options);
}

std::optional<GradcheckCommand> parse_gradcheck(const std::vector<std::string>& arguments) {
  GradcheckCommand command;
  Flags flags(
      "unroll gradcheck [flags]",
      "Checks that backpropagation computes the derivative of the loss, for every parameter of a small network at "
      "a random point, using the complex step, which is exact to double precision. Shows two errors for each "
      "tensor: of backpropagation in plain double loops, and of the fast float code used in training. Each is the "
      "largest difference divided by the largest derivative of that tensor. A third column is the error of plain loops "
      "in float, which is what rounding alone causes at this point. Status 1 if one of the first two is too large.");
  flags.heading("Check");
  flags.text({"--cell", "CELL", "rnn-tanh, rnn-relu, lstm, gru, gru-reset-before, min-gru, or min-lstm", "all of them"},
             [&command](const std::string& value) { command.cell = parse_cell(value); });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  bool quiet = false;
  flags.toggle({"--quiet", "", "accepted as by the other verbs; has no effect", ""}, &quiet);
  add_size_flags(&flags, &command.options);
  flags.example("unroll gradcheck", "Every cell, in a second or two.");
  flags.example("unroll gradcheck --outputs 3 --readout concat --bidirectional",
                "A classifier of texts, read in both directions.");
  flags.example("unroll gradcheck --cell lstm --bptt 20 --layers 3 --seed 42", "A deeper network, another point.");
  if (!flags.parse(arguments)) return std::nullopt;
  if (!flags.positionals().empty()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("unexpected argument \"{}\": gradcheck takes flags only", flags.positionals().front()));
  }
  return command;
}

std::vector<CellResult> check_cells(const GradcheckCommand& command) {
  std::vector<CellResult> results;
  for (const Cell cell : all_cells()) {
    if (command.cell ? *command.cell != cell : command.options.config.layer_norm && !has_recurrent_weights(cell)) {
      continue;
    }
    GradientCheckOptions options = command.options;
    options.config.cell = cell;
    results.push_back({cell, check_gradients(options)});
  }
  return results;
}

std::string as_table(const std::vector<CellResult>& results, bool passed) {
  std::size_t widest = 0;
  for (const CellResult& result : results) {
    for (const TensorGradientError& tensor : result.tensors) widest = std::max(widest, tensor.name.size());
  }
  std::string text;
  for (const CellResult& result : results) {
    text += fmt::format("{:<{}}  {:>9}  {:>10}  {:>10}  {:>10}\n", cell_name(result.cell), widest + 2, "elements",
                        "reference", "production", "rounding");
    for (const TensorGradientError& tensor : result.tensors) {
      text += fmt::format("  {:<{}}  {:>9}  {:>10.1e}  {:>10.1e}  {:>10.1e}{}\n", tensor.name, widest, tensor.elements,
                          tensor.reference, tensor.production, tensor.rounding,
                          is_within_bounds(tensor) ? "" : "  TOO LARGE");
    }
    text += '\n';
  }
  return text + fmt::format(
                    "{}: expected reference errors up to {:.0e}, production errors up to {:.0e} or {} times "
                    "what rounding causes\n",
                    passed ? "passed" : "FAILED", GradientErrorBounds::kReference, GradientErrorBounds::kProduction,
                    GradientErrorBounds::kRoundingFactor);
}

std::string as_json(const std::vector<CellResult>& results, bool passed) {
  nlohmann::ordered_json cells = nlohmann::ordered_json::array();
  for (const CellResult& result : results) {
    nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
    for (const TensorGradientError& tensor : result.tensors) {
      tensors.push_back({{"name", tensor.name},
                         {"elements", tensor.elements},
                         {"reference", tensor.reference},
                         {"production", tensor.production},
                         {"rounding", tensor.rounding}});
    }
    cells.push_back({{"cell", cell_name(result.cell)}, {"tensors", std::move(tensors)}});
  }
  return json_line({{"passed", passed},
                    {"reference_bound", GradientErrorBounds::kReference},
                    {"production_bound", GradientErrorBounds::kProduction},
                    {"rounding_factor", GradientErrorBounds::kRoundingFactor},
                    {"cells", std::move(cells)}});
}

}  // namespace

int run_gradcheck(const std::vector<std::string>& arguments) {
  std::optional<GradcheckCommand> parsed = parse_gradcheck(arguments);
  if (!parsed) return 0;
  GradcheckCommand& command = *parsed;
  const std::vector<CellResult> results = check_cells(command);
  bool passed = true;
  for (const CellResult& result : results) {
    passed = passed && std::all_of(result.tensors.begin(), result.tensors.end(), is_within_bounds);
  }
  Output out;
  out.write(command.json ? as_json(results, passed) : as_table(results, passed));
  out.flush();
  return passed ? 0 : 1;
}

}  // namespace unroll
