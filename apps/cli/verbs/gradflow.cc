#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/flags/output_path.h"
#include "cli/streams/flow_table.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "cli/verbs/verbs.h"
#include "draw/gradient.h"
#include "json/json_text.h"
#include "json/look_json.h"
#include "unroll/error.h"
#include "unroll/look/gradient_flow.h"
#include "unroll/model.h"
#include "unroll/output_file.h"
#include "unroll/text.h"

namespace unroll {
namespace {

struct GradflowCommand {
  std::string model;
  std::vector<std::string> beside;
  std::string text;
  std::string svg;
  UnrolledTextOptions reading;
  GradientFlowOptions flow;
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};

std::optional<GradflowCommand> parse_gradflow(const std::vector<std::string>& arguments) {
  GradflowCommand command;
  Flags flags("unroll gradflow MODEL [TEXT|-] [--beside MODEL]... [flags]",
              "Measures how far gradients reach in a language model: the gradient of a prediction with respect to the "
              "state k steps before it, by k, as a share of the gradient at the prediction itself; over many "
              "predictions of TEXT, the median and the quartiles.");
  flags.heading("Flags");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.texts({"--beside", "MODEL", "another model to measure on the same text; may be given several times", ""},
              [&command](const std::string& path) { command.beside.push_back(path); });
  flags.whole({"--lags", "N", "how many steps back", "100"}, {1, kLargestWindow},
              [&command](std::int64_t n) { command.flow.lags = n; });
  flags.whole({"--positions", "N", "predictions to look at, evenly spaced", "64"}, {1, kLargestWindow},
              [&command](std::int64_t n) { command.flow.positions = n; });
  flags.text({"--label", "LABEL", "of a model that was trained with --task conditional: what the text is given", ""},
             [&command](const std::string& label) { command.reading.label = label; });
  flags.path({"--svg", "FILE", "draw it, too: log-scale lines, and where training cut gradients off", ""},
             &command.svg);
  flags.toggle({"--overwrite", "", "replace an existing FILE", ""}, &command.overwrite);
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.reading.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  flags.example("unroll gradflow book.safetensors test.txt", "How much of a gradient is left after 1 to 100 steps.");
  flags.example("unroll gradflow lstm.safetensors test.txt --beside tanh.safetensors --svg flow.svg",
                "Two cells side by side, and the picture of it.");
  if (!flags.parse(arguments)) return std::nullopt;
  std::vector<std::string> rest = flags.positionals();
  command.model = take_model(command.model, &rest);
  command.text = take_text("gradflow", rest);
  std::vector<std::string> inputs = command.beside;
  inputs.push_back(command.model);
  inputs.push_back(command.text);
  if (!command.svg.empty()) expect_output("--svg", command.svg, inputs, command.overwrite);
  command.reading.most_steps = std::max(command.reading.most_steps, 2 * (command.flow.lags + command.flow.positions));
  return command;
}

// What was measured of one model.
struct MeasuredFlow {
  std::string path;
  Model model;
  std::int64_t steps = 0;
  std::int64_t unread = 0;
  GradientFlow flow;
};

MeasuredFlow measured(const GradflowCommand& command, const std::string& path, const std::string& bytes,
                      Terminal& terminal) {
  const Model model = Model::load(path);
  const UnrolledText text(model, {bytes, text_name(command.text)}, command.reading);
  GradientFlowRun run(text, command.flow);
  for (std::int64_t lag = 0; run.step(); ++lag) {
    if (terminal.live_due()) terminal.live(fmt::format("{}  {} of {} steps back", path, lag, command.flow.lags));
  }
  return {.path = path, .model = model, .steps = text.steps(), .unread = text.unread_steps(), .flow = run.flow()};
}

nlohmann::ordered_json json_of(const MeasuredFlow& one) {
  const std::optional<std::int64_t> bptt = trained_bptt(one.model);
  return {{"model", one.path},
          {"cell", cell_name(one.model.config().cell)},
          {"bptt", bptt ? nlohmann::ordered_json(*bptt) : nlohmann::ordered_json()},
          {"steps", one.steps},
          {"unread_steps", one.unread},
          {"predictions", one.flow.predictions},
          {"words", flow_words(one.flow.lines.front())},
          {"lines", flow_json(one.flow)}};
}

void note(const MeasuredFlow& one, const GradflowCommand& command, Terminal& terminal) {
  const std::string unread =
      one.unread == 0 ? "" : fmt::format(", of which the first {} symbols were read", grouped(one.steps));
  terminal.line(fmt::format("{}: {} predictions of {}{}", one.path, grouped(one.flow.predictions),
                            text_name(command.text), unread));
  const std::int64_t reached = one.flow.lines.front().lags.back().lag;
  if (reached < command.flow.lags) {
    terminal.line(fmt::format("{}: no prediction has more than {} steps before it since its line or the text began",
                              one.path, grouped(reached)));
  }
}

}  // namespace

int run_gradflow(const std::vector<std::string>& arguments) {
  const std::optional<GradflowCommand> parsed = parse_gradflow(arguments);
  if (!parsed) return 0;
  const GradflowCommand& command = *parsed;
  std::vector<std::string> paths{command.model};
  paths.insert(paths.end(), command.beside.begin(), command.beside.end());
  Terminal terminal(command.quiet);
  const std::string bytes = read_text(command.text, text_coding(Model::load(command.model).tokenizer().kind()));
  std::vector<NamedFlow> flows;
  nlohmann::ordered_json models = nlohmann::ordered_json::array();
  for (const std::string& path : paths) {
    const MeasuredFlow one = measured(command, path, bytes, terminal);
    note(one, command, terminal);
    flows.push_back({.name = path, .bptt = trained_bptt(one.model), .line = one.flow.lines.front()});
    models.push_back(json_of(one));
  }
  if (!command.svg.empty()) {
    OutputFile file(command.svg);
    file.write(flow_picture(flows, true).svg);
    file.finish();
  }
  Output out;
  out.write(command.json ? json_line({{"text", command.text}, {"models", std::move(models)}}) : flow_table(flows));
  out.flush();
  return 0;
}

}  // namespace unroll
