#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/flags/untrained_flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/flow_table.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/gradflow_sections.h"
#include "cli/verbs/verbs.h"
#include "draw/pictures/gradient.h"
#include "draw/shown.h"
#include "json/json_text.h"
#include "json/look_json.h"
#include "unroll/error.h"
#include "unroll/look/gradient_flow.h"
#include "unroll/look/truncation.h"
#include "unroll/look/untrained.h"
#include "unroll/model.h"
#include "unroll/output_file.h"
#include "unroll/text.h"

namespace unroll {
namespace {

struct GradflowCommand {
  std::string model;  // empty: untrained networks alone
  std::vector<std::string> beside;
  UntrainedFlags untrained;
  AskedSections sections;
  std::string text;
  std::string svg;
  UnrolledTextOptions reading;
  GradientFlowOptions flow;
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};

void add_gradflow_flags(Flags& flags, GradflowCommand& command) {
  flags.heading("Flags");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.texts({"--beside", "MODEL", "another model to measure on the same text; may be given several times", ""},
              [&command](const std::string& path) { command.beside.push_back(path); });
  flags.whole({"--lags", "N", "how many steps back", "100"}, {1, kLargestWindow},
              [&command](std::int64_t n) { command.flow.lags = n; });
  flags.whole({"--positions", "N", "predictions to look at, evenly spaced", "64"}, {1, kLargestWindow},
              [&command](std::int64_t n) { command.flow.positions = n; });
  flags.whole({"--at", "T", "one prediction alone: that of step T, from 0", "many"}, {0, kLargestWindow},
              [&command](std::int64_t t) { command.flow.at = t; });
  add_section_flags(flags, command.sections);
  flags.text({"--label", "LABEL", "of a model that was trained with --task conditional: what the text is given", ""},
             [&command](const std::string& label) { command.reading.label = label; });
  flags.path({"--svg", "FILE", "draw it, too: log-scale lines, and where training cut gradients off", ""},
             &command.svg);
  flags.toggle({"--overwrite", "", "replace an existing FILE", ""}, &command.overwrite);
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.reading.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  add_untrained_flags(flags, command.untrained);
  flags.example("unroll gradflow book.safetensors test.txt", "How much of a gradient is left after 1 to 100 steps.");
  flags.example("unroll gradflow lstm.safetensors test.txt --beside tanh.safetensors --svg flow.svg",
                "Two cells side by side, and the picture of it.");
  flags.example("unroll gradflow test.txt --untrained lstm --forget-bias 3 --lags 20",
                "What an LSTM whose forget gate begins open keeps before it has learned anything.");
}

std::optional<GradflowCommand> parse_gradflow(const std::vector<std::string>& arguments) {
  GradflowCommand command;
  Flags flags(
      "unroll gradflow [MODEL] [TEXT|-] [--beside MODEL]... [--untrained CELL]... [flags]",
      "Measures how far gradients reach in a model: the gradient of a prediction with respect to the "
      "state k steps before it, by k, as a share of the gradient at the prediction itself; over many "
      "predictions of TEXT, the median and the quartiles. Networks before their training can be measured beside a "
      "model or alone, then with the characters of TEXT. Of a classifier or a tagger each line of TEXT is a text, and "
      "what is measured is the gradient of its answers, -ln p, with respect to the words before the end of the text, "
      "or "
      "before the word that is tagged, as a share of the largest of the text.");
  add_gradflow_flags(flags, command);
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> rest = flags.positionals();
  expect_untrained(flags);
  const bool alone = command.model.empty() && !command.untrained.cells.empty() && command.beside.empty() &&
                     (rest.empty() || !is_model_file(rest.front()));
  if (!alone) command.model = take_model(command.model, &rest);
  command.text = take_text("gradflow", rest);
  std::vector<std::string> inputs = command.beside;
  if (!alone) inputs.push_back(command.model);
  inputs.push_back(command.text);
  if (!command.svg.empty()) expect_output("--svg", command.svg, inputs, command.overwrite);
  command.reading.most_steps = std::max(
      {command.reading.most_steps, command.flow.at.value_or(0) + 1, 2 * (command.flow.lags + command.flow.positions)});
  return command;
}

// A network to measure.
struct NamedNetwork {
  std::string name;
  Model model;
  UnrolledTextOptions reading;
};

Tokenizer characters_of(const std::string& bytes, const std::string& text) {
  return Tokenizer::train({.kind = TokenizerKind::kChar}, {bytes, text_name(text)});
}

// Models from files, then untrained networks, which read as the first of these does.
std::vector<NamedNetwork> networks_of(const GradflowCommand& command, const std::string& bytes) {
  std::vector<std::string> paths = command.beside;
  if (!command.model.empty()) paths.insert(paths.begin(), command.model);
  std::vector<NamedNetwork> all;
  for (const std::string& path : paths) all.push_back({path, Model::load(path), command.reading});
  std::optional<Tokenizer> tokenizer;
  UnrolledTextOptions reading = command.reading;
  reading.label.clear();
  if (!all.empty()) {
    tokenizer = all.front().model.tokenizer();
    reading.state = all.front().model.trained_state_policy();
  } else {
    tokenizer = characters_of(bytes, command.text);
  }
  for (const UntrainedNetwork& network : command.untrained.networks()) {
    all.push_back({untrained_name(network), untrained_model(*tokenizer, network), reading});
  }
  return all;
}

// What was measured of one model.
struct MeasuredFlow {
  std::string name;
  Model model;
  std::int64_t steps = 0;
  std::int64_t unread = 0;
  GradientFlow flow;
  std::optional<double> first_word;  // of answers
  std::vector<std::string> reads;    // before the prediction that was asked for, by lag
  MeasuredSections sections;
};

// The step that lags are counted from: a classifier answers at the end of the text that a step is of.
std::int64_t answered_at(const UnrolledText& text, std::int64_t at) {
  if (text.predicts() || text.model().config().readout == Readout::kSteps) return at;
  for (const TextOfSteps& one : text.texts()) {
    if (at < one.first + one.steps) return one.first + one.steps - 1;
  }
  return at;
}

std::vector<std::string> symbols_before(const UnrolledText& text, std::int64_t at, std::size_t lags) {
  std::vector<std::string> symbols;
  for (std::int64_t t = answered_at(text, at); std::ssize(symbols) < static_cast<std::int64_t>(lags); --t) {
    symbols.push_back(text.input(t) < 0 ? "" : text.reads(t));
  }
  return symbols;
}

MeasuredFlow measured(const GradflowCommand& command, const NamedNetwork& network, const std::string& bytes,
                      Terminal& terminal) {
  const UnrolledText text(network.model, {bytes, text_name(command.text)}, network.reading);
  DrawnFlow drawn = measured_flow(text, command.flow, [&](std::int64_t lag) {
    if (terminal.live_due()) {
      terminal.live(fmt::format("{}  {} of {} steps back", network.name, lag, command.flow.lags));
    }
  });
  if (drawn.flow.lines.front().lags.empty()) {
    throw Error(ErrorCode::kNumeric, fmt::format("{}: no gradient of an answer reaches its text", network.name));
  }
  GradientFlow& flow = drawn.flow;
  std::vector<std::string> reads;
  if (command.flow.at) reads = symbols_before(text, *command.flow.at, flow.lines.front().lags.size());
  return {.name = network.name,
          .model = network.model,
          .steps = text.steps(),
          .unread = text.unread_steps(),
          .flow = std::move(flow),
          .first_word = drawn.first_word,
          .reads = std::move(reads),
          .sections = measured_sections(text, command.sections)};
}

NamedFlow named_flow(const MeasuredFlow& one) {
  return {.name = one.name,
          .bptt = one.first_word ? std::nullopt : trained_bptt(one.model),
          .line = one.flow.lines.front(),
          .first_word = one.first_word};
}

nlohmann::ordered_json json_of(const MeasuredFlow& one, const std::optional<std::int64_t>& at) {
  const std::optional<std::int64_t> bptt = trained_bptt(one.model);
  nlohmann::ordered_json json{{"model", one.name},
                              {"cell", cell_name(one.model.config().cell)},
                              {"bptt", bptt ? nlohmann::ordered_json(*bptt) : nlohmann::ordered_json()},
                              {"steps", one.steps},
                              {"unread_steps", one.unread},
                              {"at", at ? nlohmann::ordered_json(*at) : nlohmann::ordered_json()},
                              {"predictions", one.flow.predictions},
                              {"words", flow_words(named_flow(one))},
                              {"lines", flow_json(one.flow)}};
  if (one.first_word) json["first_word"] = *one.first_word;
  add_sections(one.sections, json);
  return json;
}

std::string looked_at(const MeasuredFlow& one, const GradflowCommand& command) {
  if (one.first_word) {
    return command.flow.at ? fmt::format("the answer at step {}", *command.flow.at)
                           : counted(one.flow.predictions, "answer");
  }
  if (command.flow.at) return fmt::format("the prediction at step {}", *command.flow.at);
  return counted(one.flow.predictions, "prediction");
}

void note(const MeasuredFlow& one, const GradflowCommand& command, Terminal& terminal) {
  const std::string unread =
      one.unread == 0 ? "" : fmt::format(", of which the first {} symbols were read", grouped(one.steps));
  terminal.line(fmt::format("{}: {} of {}{}", one.name, looked_at(one, command), text_name(command.text), unread));
  const std::int64_t reached = one.flow.lines.front().lags.back().lag;
  if (command.flow.at || one.first_word || reached >= command.flow.lags) return;
  terminal.line(fmt::format("{}: no prediction has more than {} before it since its line or the text began", one.name,
                            counted(reached, "step")));
}

}  // namespace

int run_gradflow(const std::vector<std::string>& arguments) {
  const std::optional<GradflowCommand> parsed = parse_gradflow(arguments);
  if (!parsed) return 0;
  const GradflowCommand& command = *parsed;
  Terminal terminal(command.quiet);
  const TokenizerKind kind =
      command.model.empty() ? TokenizerKind::kChar : Model::load(command.model).tokenizer().kind();
  const std::string bytes = read_text(command.text, text_coding(kind));
  std::vector<NamedFlow> flows;
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  std::string predictions;
  std::string sections;
  for (const NamedNetwork& network : networks_of(command, bytes)) {
    const MeasuredFlow one = measured(command, network, bytes, terminal);
    note(one, command, terminal);
    sections += sections_text(one.name, one.sections);
    if (command.flow.at) predictions += escaped(one.name) + "\n" + prediction_table(one.reads, one.flow);
    flows.push_back(named_flow(one));
    models.push_back(json_of(one, command.flow.at));
  }
  if (!command.svg.empty()) {
    OutputFile file(command.svg);
    file.write(flow_picture(flows, true).svg);
    file.finish();
  }
  Output out;
  out.write(command.json ? json_line({{"text", command.text}, {"models", std::move(models)}})
                         : (command.flow.at ? predictions : flow_table(flows)) + sections);
  out.flush();
  return 0;
}

}  // namespace unroll
