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
#include "draw/shown.h"
#include "json/json_text.h"
#include "json/look_json.h"
#include "unroll/error.h"
#include "unroll/look/passages.h"
#include "unroll/look/units.h"
#include "unroll/model.h"
#include "unroll/text.h"

namespace unroll {
namespace {

// Among the units of a network some follow whatever happens at fewer symbols.
constexpr std::int64_t kFewSymbols = 1000;

struct UnitsCommand {
  std::string model;
  std::string text;
  std::vector<std::string> expressions;
  std::optional<std::int64_t> from;
  std::optional<std::int64_t> to;
  std::int64_t top = 3;
  UnrolledTextOptions reading;
  bool json = false;
  bool quiet = false;
};

std::optional<UnitsCommand> parse_units(const std::vector<std::string>& arguments) {
  UnitsCommand command;
  Flags flags(
      "unroll inspect MODEL --units TEXT [flags]",
      "Finds the units of a model that follow a feature of TEXT best: whether a quotation or a bracket "
      "is open, the position in the line, and what regular expressions match. A unit is a number of h, or of an "
      "LSTM's c. Where no unit follows a feature well, that is said. Of a classifier or a tagger each line of TEXT is "
      "a text, and each direction a layer.");
  flags.heading("Flags");
  flags.path({"--model,-m", "MODEL", "the model, instead of the first argument", ""}, &command.model);
  flags.path({"--units", "TEXT", "the text to look at the units on, - for standard input", ""}, &command.text);
  flags.texts(
      {"--match", "REGEX",
       "another feature: whether the last symbol is part of a match (ECMAScript); may be given several times", ""},
      [&command](const std::string& expression) { command.expressions.push_back(expression); });
  flags.whole(
      {"--from", "N",
       "instead of features a selection, from step N on: the units that are on throughout it and off around it, "
       "and other passages where they are on",
       ""},
      {0, kLargestCount}, [&command](std::int64_t n) { command.from = n; });
  flags.whole({"--to", "N", "the last step of the selection", ""}, {0, kLargestCount},
              [&command](std::int64_t n) { command.to = n; });
  flags.whole({"--top", "N", "units to show of each feature; of a selection, units and passages", "3"},
              {1, kLargestSize}, [&command](std::int64_t n) { command.top = n; });
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
  if (command.from.has_value() != command.to.has_value()) {
    throw Error(ErrorCode::kUsage, "a selection has its first step and its last: give both --from and --to");
  }
  if (command.from && !command.expressions.empty()) {
    throw Error(ErrorCode::kUsage, "--match is about a feature of the whole text, --from and --to about a selection");
  }
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

// A unit of either list.
template <class Unit>
std::string place_of(const Unit& unit, const UnrolledText& text) {
  return fmt::format("layer {} {} {}", layer_name(text.model().config(), unit.layer), unit.of_cell_state ? 'c' : 'h',
                     unit.unit);
}

std::string table_row(const std::string& name, const FollowingUnit& unit, const UnrolledText& unrolled) {
  const std::string place = place_of(unit, unrolled);
  const std::string auc = std::isnan(unit.auc) ? "-" : fmt::format("{:.4f}", unit.auc);
  return fmt::format("{:<20}  {:<16}  {:>11.4f}  {:>6}\n", name, place, unit.correlation, auc);
}

std::string text_of(const std::vector<Followed>& all, const UnrolledText& unrolled) {
  std::string text = fmt::format("{:<20}  {:<16}  {:>11}  {:>6}\n", "feature", "unit", "correlation", "AUC");
  std::string none;
  for (const Followed& one : all) {
    const std::string name = escaped(one.feature.name);
    for (std::size_t i = 0; i < one.units.size(); ++i) text += table_row(i == 0 ? name : "", one.units[i], unrolled);
    if (one.units.empty()) {
      none += fmt::format("{}: {}\n", name, why_none(one.feature));
    } else if (!follows_well(one.units.front())) {
      none += fmt::format("{}: no unit follows it well\n", name);
    }
  }
  if (unrolled.steps() < kFewSymbols) {
    none += fmt::format("{} read: so few prove nothing, some unit follows anything there; give thousands\n",
                        counted(unrolled.steps(), "symbol"));
  }
  return text + none;
}

nlohmann::ordered_json json_of(const std::vector<Followed>& all) {
  nlohmann::ordered_json features = nlohmann::ordered_json::array();
  for (const Followed& one : all) {
    features.push_back({{"feature", one.feature.name},
                        {"followed", !one.units.empty() && follows_well(one.units.front())},
                        {"units", units_json(one.units)}});
    if (one.units.empty()) features.back()["reason"] = why_none(one.feature);
  }
  return features;
}

// A selection with its units, and passages alike.
struct Selected {
  TextSelection selection;
  std::vector<SelectedUnit> units;
  std::vector<Passage> passages;
};

Selected selected_by(const UnitsCommand& command, const UnrolledText& text) {
  const TextSelection selection{.from = *command.from, .to = *command.to};
  std::vector<SelectedUnit> units = units_of_selection(text, selection, command.top);
  std::vector<Passage> passages = passages_alike(text, selection, units, command.top);
  return {.selection = selection, .units = std::move(units), .passages = std::move(passages)};
}

std::string text_of(const Selected& selected, const UnrolledText& text) {
  const auto [from, to] = selected.selection;
  std::string out =
      fmt::format("selection, steps {} to {}: \"{}\"\n", from, to, escaped(read_in(text, selected.selection)));
  if (selected.units.empty()) return out + "no unit is on throughout it and off around it\n";
  out += fmt::format("{:<16}  {:>10}  {:>8}\n", "unit", "threshold", "margin");
  for (const SelectedUnit& unit : selected.units) {
    out += fmt::format("{:<16}  {:>1} {:>8.4f}  {:>8.4f}\n", place_of(unit, text), unit.above ? '>' : '<',
                       unit.threshold, unit.margin);
  }
  const auto holding = std::ranges::count_if(selected.units, holds_together);
  if (holding == 0) return out + "none holds it together: their margins are below half a standard deviation\n";
  if (selected.passages.empty()) return out + "no other passage has half of the units on that hold it together\n";
  out += "passages alike\n";
  for (const Passage& passage : selected.passages) {
    out += fmt::format("{} of {} units, steps {} to {}: \"{}\"\n", passage.units, holding, passage.from, passage.to,
                       escaped(read_in(text, {passage.from, passage.to})));
  }
  return out;
}

}  // namespace

bool asks_for_units(const std::vector<std::string>& arguments) {
  return asked_value(arguments, "--units") || (!arguments.empty() && arguments.back() == "--units");
}

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
  Output out;
  nlohmann::ordered_json json{{"model", command.model}, {"text", command.text}};
  if (command.from) {
    const Selected selected = selected_by(command, text);
    json.update(selection_json(text, selected.selection, selected.units, selected.passages));
    out.write(command.json ? json_line(json) : text_of(selected, text));
  } else {
    const std::vector<Followed> all = followed_by(command, text);
    json["features"] = json_of(all);
    out.write(command.json ? json_line(json) : text_of(all, text));
  }
  out.flush();
  return 0;
}

}  // namespace unroll
