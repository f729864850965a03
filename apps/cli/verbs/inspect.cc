#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/flags/flags.h"
#include "cli/flags/recorded_setting.h"
#include "cli/streams/escaped.h"
#include "cli/streams/loss_chart.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/verbs/inspect_ids.h"
#include "cli/verbs/inspect_units.h"
#include "cli/verbs/verbs.h"
#include "json/json_text.h"
#include "unroll/id_cache.h"
#include "unroll/model.h"

namespace unroll {
namespace {

constexpr std::size_t kShownSymbols = 24;

struct InspectCommand {
  std::string model;
  bool json = false;
};

std::optional<InspectCommand> parse_inspect(const std::vector<std::string>& arguments) {
  InspectCommand command;
  Flags flags(
      "unroll inspect MODEL [flags]",
      "Shows the content of a model file: the network and its tensors, the tokenizer, the training options, and the "
      "training history; or that of an id cache, all of which it checks. With --units TEXT (unroll inspect --units "
      "--help): the units that follow features of a text.");
  flags.heading("Flags");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.toggle({"--json", "", "one JSON object on one line, with the whole history and vocabulary", ""}, &command.json);
  bool quiet = false;
  flags.toggle({"--quiet", "", "accepted as by the other verbs; has no effect", ""}, &quiet);
  flags.elsewhere(
      {"--match", "--from", "--to", "--top", "--symbols", "--label"},
      " is about units that follow a text: give --units TEXT, too (unroll inspect --units --help has more)");
  flags.example("unroll inspect book.safetensors", "For people, with a chart of the loss.");
  flags.example("unroll inspect book.safetensors --json | jq .training.options", "For programs.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.model = take_only_model("inspect", command.model, flags.positionals());
  return command;
}

std::int64_t element_count(const TensorInfo& tensor) {
  std::int64_t count = 1;
  for (const std::int64_t size : tensor.shape) count *= size;
  return count;
}

std::string shape_text(const TensorInfo& tensor) {
  std::string text;
  for (const std::int64_t size : tensor.shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

std::string_view precision_words(Precision precision) {
  switch (precision) {
    case Precision::kF32:
      return "f32";
    case Precision::kBf16:
      return "bf16: weight matrices are rounded to bfloat16";
    case Precision::kInt8:
      return "int8: weight matrices are rounded to 8-bit integers, with a scale for each row";
  }
  return "";
}

std::string shown_symbol(const std::string& symbol) { return symbol == " " ? "' '" : escaped(symbol); }

// What a model of a task answers with, and what its network has for that.
std::string task_text(const Model& model) {
  const Task& task = model.task();
  const NetworkConfig& net = model.config();
  if (task.kind == TaskKind::kLanguage) return "";
  std::string text = "Task\n";
  text += fmt::format("  kind          {}{}\n", task_name(task.kind), task.multi_label ? ", any number of labels" : "");
  if (net.outputs > 0) {
    text += fmt::format("  outputs       {}, loss {}\n", grouped(net.outputs), loss_name(net.loss));
    text += fmt::format("  readout       {}\n", readout_name(net.readout));
    text += fmt::format("  directions    {}\n", net.bidirectional ? "both" : "forward");
  }
  if (net.characters > 0) {
    text +=
        fmt::format("  characters    {}, {} units in each direction\n", grouped(net.characters), net.character_hidden);
  }
  if (task.temperature != 1) text += fmt::format("  temperature   {:.4g}\n", task.temperature);
  if (!task.scheme.empty()) text += fmt::format("  scheme        {}\n", escaped(task.scheme));
  text += "  labels        ";
  const std::size_t shown = std::min(task.labels.size(), kShownSymbols);
  for (std::size_t i = 0; i < shown; ++i) text += shown_symbol(task.labels[i]) + ' ';
  return text + (shown < task.labels.size() ? "...\n\n" : "\n\n");
}

nlohmann::ordered_json task_json(const Task& task) {
  nlohmann::ordered_json json{{"kind", task_name(task.kind)}, {"labels", task.labels}};
  if (task.multi_label) json["multi_label"] = true;
  if (task.kind == TaskKind::kClassify) json["temperature"] = task.temperature;
  if (!task.thresholds.empty()) json["thresholds"] = task.thresholds;
  if (!task.scheme.empty()) json["scheme"] = task.scheme;
  return json;
}

std::string network_text(const Model& model, std::uintmax_t file_bytes) {
  const NetworkConfig& net = model.config();
  std::string text = "Network\n";
  text += fmt::format("  cell          {}\n", cell_name(net.cell));
  text += fmt::format("  layers        {}\n", net.layers);
  text += fmt::format("  hidden        {}\n", net.hidden);
  if (net.layer_norm) text += "  layer norm    inside the cells\n";
  text += fmt::format("  embedding     {}{}\n", net.embed, net.tied ? ", tied to the output layer" : "");
  if (net.residual) text += "  residual      each layer above the first adds its input to its output\n";
  if (!net.cutoffs.empty()) text += fmt::format("  softmax       adaptive, cutoffs {}\n", fmt::join(net.cutoffs, ", "));
  text += fmt::format("  vocabulary    {}\n", grouped(net.vocabulary));
  text += fmt::format("  parameters    {}\n", grouped(parameter_count(net)));
  text += fmt::format("  precision     {}\n", precision_words(model.precision()));
  text += fmt::format("  file          {}\n", people_bytes(static_cast<std::int64_t>(file_bytes)));
  return text;
}

std::string tensors_text(const Model& model) {
  const std::vector<TensorInfo> tensors = model.tensors();
  std::size_t widest = 0;
  for (const TensorInfo& tensor : tensors) widest = std::max(widest, tensor.name.size());
  std::string text = "\nTensors\n";
  for (const TensorInfo& tensor : tensors) {
    text += fmt::format("  {:<{}}  {:>16}  {:>14}  {:>4}\n", visible(tensor.name), widest, shape_text(tensor),
                        grouped(element_count(tensor)), precision_name(tensor.precision));
  }
  return text;
}

std::string tokenizer_text(const Tokenizer& tokenizer, BeginPolicy policy) {
  std::string text = "\nTokenizer\n";
  text += fmt::format("  kind          {}{}\n", tokenizer_kind_name(tokenizer.kind()),
                      tokenizer.lowercase() ? ", lower case" : "");
  text += fmt::format("  symbols       {}\n", grouped(tokenizer.size()));
  if (tokenizer.boundary() < 0) {
    text += "  boundary      none: lines are read by themselves, and their ends are neither read nor predicted\n";
  } else {
    text += fmt::format("  boundary      {} (id {})\n", shown_symbol(tokenizer.symbol(tokenizer.boundary())),
                        tokenizer.boundary());
  }
  if (tokenizer.unknown() < 0 && tokenizer.kind() != TokenizerKind::kByte) {
    text += "  unknown       none: text with other symbols is refused\n";
  }
  if (policy == BeginPolicy::kNone) text += "  begin         none: the first token of a text is given, not predicted\n";
  text += "  the first     ";
  const std::vector<std::string>& symbols = tokenizer.vocabulary();
  // Skips the control bytes and the space at the start of a byte vocabulary.
  const std::size_t begin = tokenizer.kind() == TokenizerKind::kByte ? std::min<std::size_t>(33, symbols.size()) : 0;
  const std::size_t end = std::min(symbols.size(), begin + kShownSymbols);
  for (std::size_t i = begin; i < end; ++i) text += shown_symbol(symbols[i]) + ' ';
  return text + (end < symbols.size() ? "...\n" : "\n");
}

std::string training_text(const TrainingRecord& training) {
  std::string text =
      fmt::format("\nTraining ({})\n", training.complete ? "complete" : "not complete: --resume continues it");
  for (const auto& [name, value] : training.options)
    text += fmt::format("  {:<13} {}\n", escaped(name), escaped(shown_setting(name, value)));
  if (training.history.empty()) return text;
  text += "\nHistory\n" + format_loss_chart(training.history);
  const HistoryPoint& last = training.history.back();
  text += fmt::format("  last: step {}, {} tokens, training {:.4f} nats per token\n", grouped(last.step),
                      grouped(last.tokens), last.nats_per_token);
  const HistoryPoint* best = nullptr;
  for (const HistoryPoint& point : training.history) {
    if (!point.valid_nats_per_token) continue;
    if (best == nullptr || point.best_valid_nats_per_token() < best->best_valid_nats_per_token()) best = &point;
  }
  if (best != nullptr) {
    text += fmt::format("  best: step {}, validation {:.4f} nats per token, perplexity {}\n", grouped(best->step),
                        *best->best_valid_nats_per_token(), people_perplexity(*best->best_valid_nats_per_token()));
  }
  return text;
}

nlohmann::ordered_json tokenizer_json(const Tokenizer& tokenizer) {
  nlohmann::ordered_json object{{"kind", tokenizer_kind_name(tokenizer.kind())},
                                {"lowercase", tokenizer.lowercase()},
                                {"size", tokenizer.size()},
                                {"boundary", tokenizer.boundary()},
                                {"unknown", tokenizer.unknown()}};
  if (tokenizer.kind() != TokenizerKind::kByte) object["vocabulary"] = tokenizer.vocabulary();
  return object;
}

nlohmann::ordered_json training_json(const TrainingRecord& training) {
  nlohmann::ordered_json options = nlohmann::ordered_json::object();
  for (const auto& [name, value] : training.options) options[name] = value;
  nlohmann::ordered_json history = nlohmann::ordered_json::array();
  for (const HistoryPoint& point : training.history) {
    nlohmann::ordered_json entry{
        {"step", point.step}, {"tokens", point.tokens}, {"nats_per_token", point.nats_per_token}, {"lr", point.lr}};
    if (point.valid_nats_per_token) entry["valid_nats_per_token"] = *point.valid_nats_per_token;
    if (point.valid_accuracy) entry["valid_accuracy"] = *point.valid_accuracy;
    if (point.average_valid_nats_per_token) {
      entry["average_valid_nats_per_token"] = *point.average_valid_nats_per_token;
    }
    history.push_back(std::move(entry));
  }
  return {{"complete", training.complete}, {"options", std::move(options)}, {"history", std::move(history)}};
}

nlohmann::ordered_json as_json(const Model& model, std::uintmax_t file_bytes) {
  const NetworkConfig& net = model.config();
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const TensorInfo& tensor : model.tensors()) {
    tensors.push_back(
        {{"name", tensor.name}, {"shape", tensor.shape}, {"precision", precision_name(tensor.precision)}});
  }
  nlohmann::ordered_json json = {{"config",
                                  {{"cell", cell_name(net.cell)},
                                   {"vocabulary", net.vocabulary},
                                   {"embed", net.embed},
                                   {"hidden", net.hidden},
                                   {"layers", net.layers},
                                   {"tied", net.tied}}},
                                 {"precision", precision_name(model.precision())},
                                 {"parameters", parameter_count(net)},
                                 {"file_bytes", file_bytes},
                                 {"tensors", std::move(tensors)},
                                 {"tokenizer", tokenizer_json(model.tokenizer())},
                                 {"begin", begin_policy_name(model.begin_policy())},
                                 {"training", training_json(model.training())}};
  if (net.residual) json["config"]["residual"] = true;
  if (net.layer_norm) json["config"]["layer_norm"] = true;
  if (!net.cutoffs.empty()) json["config"]["cutoffs"] = net.cutoffs;
  if (net.outputs > 0) {
    json["config"]["outputs"] = net.outputs;
    json["config"]["loss"] = loss_name(net.loss);
    json["config"]["readout"] = readout_name(net.readout);
  }
  if (net.bidirectional) json["config"]["bidirectional"] = true;
  if (net.characters > 0) {
    json["config"]["characters"] = net.characters;
    json["config"]["character_hidden"] = net.character_hidden;
  }
  if (net.conditions > 0) json["config"]["conditions"] = net.conditions;
  if (model.task().kind != TaskKind::kLanguage) json["task"] = task_json(model.task());
  return json;
}

}  // namespace

int run_inspect(const std::vector<std::string>& arguments) {
  if (asks_for_units(arguments)) return run_inspect_units(arguments);
  std::optional<InspectCommand> parsed = parse_inspect(arguments);
  if (!parsed) return 0;
  InspectCommand& command = *parsed;
  if (is_id_cache(command.model)) {
    inspect_ids(command.model, command.json);
    return 0;
  }
  const Model model = Model::load(command.model);
  std::error_code unknown;
  std::uintmax_t file_bytes = std::filesystem::file_size(command.model, unknown);
  if (unknown) file_bytes = 0;
  Output out;
  out.write(command.json
                ? json_line(as_json(model, file_bytes))
                : task_text(model) + network_text(model, file_bytes) + tensors_text(model) +
                      tokenizer_text(model.tokenizer(), model.begin_policy()) + training_text(model.training()));
  out.flush();
  return 0;
}

}  // namespace unroll
