#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/asked_units.h"
#include "draw/heat_rows.h"
#include "draw/pictures/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"
#include "unroll/cell.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::int64_t kHeatUnits = 8;
constexpr double kNeuronsPage = 860;

// Whether `state` asks for c.
bool asks_for_c(const PictureRequest& request, Cell cell) {
  const std::string& state = request.options.state;
  const bool of_c = state == "c";
  if (!of_c && state != "h") {
    throw Error(ErrorCode::kUsage, fmt::format("`state` is \"{}\": expected h or c", state), "state");
  }
  if (of_c && !has_cell_state(cell)) {
    throw Error(ErrorCode::kUsage, fmt::format("`state` is c, but the cell {} has none: expected h", cell_name(cell)),
                "state");
  }
  return of_c;
}

// One scale for all: units are compared. Numbers of c, which has no bounds, have one for each row.
void set_scales(std::vector<HeatRow>& rows, bool of_c) {
  double of_all = 1;
  for (HeatRow& row : rows) {
    row.most = 1;
    for (const double value : row.values) row.most = std::max(row.most, std::abs(value));
    of_all = std::max(of_all, row.most);
    if (of_c) row.name += " " + within(row.most);
  }
  for (HeatRow& row : rows) {
    if (!of_c) row.most = of_all;
    row.least = -row.most;
  }
}

}  // namespace

Picture draw_neurons(const PictureRequest& request) {
  const UnrolledText text = unrolled_with_end(request, kHeatText);
  const std::int64_t layer = asked_layer(request, text);
  check_at(request, text);
  const StepRange steps =
      shown_steps(request, text, kHeatSteps, std::max(kHeatSteps - 1, request.options.at.value_or(0)));
  const std::vector<std::int64_t> units =
      asked_units(request, text, layer, {.first = 0, .count = text.steps()}, kHeatUnits);
  Picture picture{.title = "Units over a text"};
  picture.table.columns = {"t", "reads"};
  std::vector<HeatRow> rows;
  const bool of_c = asks_for_c(request, text.model().config().cell);
  for (const std::int64_t unit : units) {
    rows.push_back({.name = fmt::format("{} {}", of_c ? "c" : "unit", unit),
                    .hint = fmt::format("{} of unit {}", request.options.state, unit),
                    .unit = unit});
    picture.table.columns.push_back(fmt::format("unit {}", unit));
  }
  std::vector<std::string> symbols;
  for (std::int64_t t = steps.first; t <= steps.last(); ++t) {
    const std::span<const float> state = of_c ? text.c(layer, t) : text.h(layer, t);
    symbols.push_back(text.reads(t));
    std::vector<Datum> row{t, symbols.back()};
    for (std::size_t i = 0; i < units.size(); ++i) {
      rows[i].values.push_back(state[static_cast<std::size_t>(units[i])]);
      row.emplace_back(rows[i].values.back());
    }
    picture.table.rows.push_back(std::move(row));
  }
  set_scales(rows, of_c);
  Svg svg;
  const std::string most = of_c || rows.empty() ? "the number of its row" : three_digits(rows.front().most);
  draw_scale(svg, {130, 14}, of_c ? "its negative" : "h = -" + most, most);
  const double below = draw_heat_rows(svg, symbols, rows,
                                      {.y = 44,
                                       .page = kNeuronsPage,
                                       .steps = steps,
                                       .at = request.options.at.value_or(-1),
                                       .selection = asked_selection(request)});
  const double y = draw_heat_steps(svg, text, steps, below);
  picture.sentence = fmt::format(
      "{}{} of the {} units of layer {}, after each {}: a bar that changes with the text is "
      "a unit that follows something in it",
      of_c ? "c of " : "", units.size(), text.model().config().hidden, layer_name(text.model().config(), layer),
      text.predicts() ? "symbol" : "word");
  picture.sentence += beyond_text(request, text);
  picture.facts = {{"layer", layer},        {"at", request.options.at.value_or(steps.last())},
                   {"first", steps.first},  {"last", steps.last()},
                   {"steps", text.steps()}, {"unread_steps", text.unread_steps()}};
  finish(picture, request, svg, kNeuronsPage, y);
  return picture;
}

}  // namespace unroll
