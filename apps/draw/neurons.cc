#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/asked_units.h"
#include "draw/heat_rows.h"
#include "draw/pictures.h"
#include "draw/shown.h"
#include "draw/subject.h"

namespace unroll {
namespace {

constexpr std::int64_t kMostHeatSteps = 200;
constexpr std::int64_t kHeatUnits = 8;
constexpr double kNeuronsPage = 860;

}  // namespace

Picture draw_neurons(const PictureRequest& request) {
  const UnrolledText text = unrolled_with_end(request);
  const Tokenizer& tokenizer = text.model().tokenizer();
  const std::int64_t layer = asked_layer(request, text);
  const StepRange steps = shown_steps(request, text, kMostHeatSteps, kMostHeatSteps - 1);
  const std::vector<std::int64_t> units =
      asked_units(request, text, layer, {.first = 0, .count = text.steps()}, kHeatUnits);
  Picture picture{.title = "Units over a text"};
  picture.table.columns = {"t", "reads"};
  std::vector<HeatRow> rows;
  double largest = 1;
  for (const std::int64_t unit : units) {
    rows.push_back({.name = fmt::format("unit {}", unit), .hint = fmt::format("h of unit {}", unit)});
    picture.table.columns.push_back(fmt::format("unit {}", unit));
  }
  std::vector<std::string> symbols;
  for (std::int64_t t = steps.first; t <= steps.last(); ++t) {
    const std::span<const float> h = text.h(layer, t);
    symbols.push_back(tokenizer.symbol(text.input(t)));
    std::vector<Datum> row{t, symbols.back()};
    for (std::size_t i = 0; i < units.size(); ++i) {
      rows[i].values.push_back(h[static_cast<std::size_t>(units[i])]);
      row.emplace_back(rows[i].values.back());
      largest = std::max(largest, std::abs(rows[i].values.back()));
    }
    picture.table.rows.push_back(std::move(row));
  }
  for (HeatRow& row : rows) {
    row.least = -largest;
    row.most = largest;
  }
  Svg svg;
  draw_scale(svg, {130, 14}, fmt::format("h = {}", three_digits(-largest)), three_digits(largest));
  double y = draw_heat_rows(svg, symbols, rows, 44, kNeuronsPage, steps.first);
  if (steps.count < text.steps()) {
    svg.text({70, y + 8}, "small",
             fmt::format("steps {} to {} of {}", steps.first, steps.last(), with_commas(text.steps())));
    y += 20;
  }
  picture.sentence = fmt::format(
      "{} of the {} units of layer {}, after each symbol: a bar that changes with the text is "
      "a unit that follows something in it",
      units.size(), text.model().config().hidden, layer);
  picture.facts = {{"layer", layer},
                   {"first", steps.first},
                   {"last", steps.last()},
                   {"steps", text.steps()},
                   {"unread_steps", text.unread_steps()}};
  finish(picture, request, svg, kNeuronsPage, y);
  return picture;
}

}  // namespace unroll
