#include "cli/verbs/inspect_units.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/flags/asked_task.h"
#include "cli/flags/flags.h"
#include "cli/streams/escaped.h"
#include "cli/streams/output.h"
#include "cli/streams/quantities.h"
#include "cli/streams/terminal.h"
#include "json/json_text.h"
#include "unroll/look/units.h"
#include "unroll/model.h"
#include "unroll/text.h"

namespace unroll {
namespace {

struct UnitsCommand {
  std::string model;
  std::string text;
  std::vector<std::string> expressions;
  std::int64_t top = 3;
  UnrolledTextOptions reading;
  bool json = false;
  bool quiet = false;
};

std::optional<UnitsCommand> parse_units(const std::vector<std::string>& arguments) {
  UnitsCommand command;
  Flags flags(
      "unroll inspect MODEL --units TEXT [flags]",
      "Finds the units of a language model that follow a feature of TEXT best: whether a quotation or a bracket "
      "is open, the position in the line, and what regular expressions match. A unit is a number of h, or of an "
      "LSTM's c. Where no unit follows a feature well, that is said.");
  flags.heading("Flags");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.path({"--units", "TEXT", "the text to look at the units on, - for standard input", ""}, &command.text);
  flags.texts(
      {"--match", "REGEX",
       "another feature: whether the last symbol is part of a match (ECMAScript); may be given several times", ""},
      [&command](const std::string& expression) { command.expressions.push_back(expression); });
  flags.whole({"--top", "N", "units to show of each feature", "3"}, {1, kLargestSize},
              [&command](std::int64_t n) { command.top = n; });
  flags.whole({"--symbols", "N", "symbols of TEXT to read at most", fmt::format("{}", command.reading.most_steps)},
              {2, kLargestSize}, [&command](std::int64_t n) { command.reading.most_steps = n; });
  flags.text({"--label", "LABEL", "of a model that was trained with --task conditional: what the text is given", ""},
             [&command](const std::string& label) { command.reading.label = label; });
  flags.toggle({"--json", "", "one JSON object on one line", ""}, &command.json);
  flags.whole({"--threads,-t", "N", "threads; any number gives the same result", "all usable cores"}, {1, 1024},
              [&command](std::int64_t n) { command.reading.threads = static_cast<int>(n); });
  flags.toggle({"--quiet", "", "no notes on standard error", ""}, &command.quiet);
  flags.example("unroll inspect book.safetensors --units test.txt", "Who knows that a quotation is open?");
  flags.example("unroll inspect book.safetensors --units test.txt --match '[0-9]+' --top 10", "Units for numbers.");
  if (!flags.parse(arguments)) return std::nullopt;
  command.model = take_only_model("inspect", command.model, flags.positionals());
  return command;
}

// A feature with its best units.
struct Followed {
  TextFeature feature;
  std::vector<FollowingUnit> units;
};

std::vector<Followed> followed_by(const UnitsCommand& command, const UnrolledText& text) {
  std::vector<TextFeature> features{quotes_feature(text), brackets_feature(text), line_position_feature(text)};
  for (const std::string& expression : command.expressions) features.push_back(match_feature(text, expression));
  std::vector<Followed> all;
  for (TextFeature& feature : features) {
    std::vector<FollowingUnit> units = units_following(text, feature, command.top);
    all.push_back({.feature = std::move(feature), .units = std::move(units)});
  }
  return all;
}

std::string table_row(const std::string& name, const FollowingUnit& unit) {
  const std::string place = fmt::format("layer {} {} {}", unit.layer, unit.of_cell_state ? 'c' : 'h', unit.unit);
  const std::string auc = std::isnan(unit.auc) ? "-" : fmt::format("{:.4f}", unit.auc);
  return fmt::format("{:<20}  {:<16}  {:>11.4f}  {:>6}\n", name, place, unit.correlation, auc);
}

std::string text_of(const std::vector<Followed>& all) {
  std::string text = fmt::format("{:<20}  {:<16}  {:>11}  {:>6}\n", "feature", "unit", "correlation", "AUC");
  std::string none;
  for (const Followed& one : all) {
    const std::string name = escaped(one.feature.name);
    for (std::size_t i = 0; i < one.units.size(); ++i) text += table_row(i == 0 ? name : "", one.units[i]);
    if (one.units.empty()) {
      none += fmt::format("{}: the same at every symbol of the text\n", name);
    } else if (!follows_well(one.units.front())) {
      none += fmt::format("{}: no unit follows it well\n", name);
    }
  }
  return text + none;
}

nlohmann::ordered_json json_of(const std::vector<Followed>& all) {
  nlohmann::ordered_json features = nlohmann::ordered_json::array();
  for (const Followed& one : all) {
    nlohmann::ordered_json units = nlohmann::ordered_json::array();
    for (const FollowingUnit& unit : one.units) {
      const std::optional<double> auc = std::isnan(unit.auc) ? std::nullopt : std::optional(unit.auc);
      units.push_back({{"layer", unit.layer},
                       {"of", unit.of_cell_state ? "c" : "h"},
                       {"unit", unit.unit},
                       {"correlation", unit.correlation},
                       {"auc", or_null(auc)}});
    }
    features.push_back({{"feature", one.feature.name},
                        {"followed", !one.units.empty() && follows_well(one.units.front())},
                        {"units", std::move(units)}});
  }
  return features;
}

}  // namespace

bool asks_for_units(const std::vector<std::string>& arguments) { return asked_value(arguments, "--units").has_value(); }

int run_inspect_units(const std::vector<std::string>& arguments) {
  const std::optional<UnitsCommand> parsed = parse_units(arguments);
  if (!parsed) return 0;
  const UnitsCommand& command = *parsed;
  const Model model = Model::load(command.model);
  const std::string bytes = read_text(command.text, text_coding(model.tokenizer().kind()));
  const UnrolledText text(model, {bytes, text_name(command.text)}, command.reading);
  Terminal terminal(command.quiet);
  if (text.unread_steps() > 0) {
    terminal.line(fmt::format("of {} the first {} symbols were read", text_name(command.text), grouped(text.steps())));
  }
  const std::vector<Followed> all = followed_by(command, text);
  Output out;
  out.write(command.json ? json_line({{"model", command.model}, {"text", command.text}, {"features", json_of(all)}})
                         : text_of(all));
  out.flush();
  return 0;
}

}  // namespace unroll
