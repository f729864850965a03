#include "draw/heat_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "draw/shown.h"
#include "draw/text_flow.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr int kScaleColours = 9;
constexpr double kHeatMargin = 84;  // for the names of rows, at least
constexpr double kHeatSymbol = 20;
constexpr double kHeatRow = 13;

// Room for the names at the left of rows.
double name_margin(const std::vector<HeatRow>& rows) {
  constexpr double kLetter = 6.6;
  double margin = kHeatMargin;
  for (const HeatRow& row : rows) margin = std::max(margin, 16 + kLetter * static_cast<double>(columns_of(row.name)));
  return margin;
}

// Names that end at a place, one for each row from there down.
void draw_row_names(Svg& svg, const std::vector<HeatRow>& rows, Point end) {
  for (const HeatRow& row : rows) {
    const Point at{end.x, end.y + 11};
    if (row.unit) {
      svg.text(at, "small end", row.name, {{"data-unit", *row.unit}});
    } else {
      svg.text(at, "small end", row.name);
    }
    end.y += kHeatRow;
  }
}

}  // namespace

std::string scale_class(double value, double least, double most) {
  const double share = most > least ? (value - least) / (most - least) : 0.5;
  const int colour = std::clamp(static_cast<int>(share * kScaleColours), 0, kScaleColours - 1);
  return fmt::format("v{}", colour);
}

void draw_scale(Svg& svg, Point corner, const std::string& least, const std::string& most) {
  svg.text({corner.x - 6, corner.y + 11}, "small end", least);
  for (int i = 0; i < kScaleColours; ++i) svg.rect({corner.x + 16 * i, corner.y}, 16, 13, fmt::format("v{}", i));
  svg.text({corner.x + 16 * kScaleColours + 6, corner.y + 11}, "small", most);
}

StepRange asked_selection(const PictureRequest& request) {
  const std::vector<std::int64_t>& selection = request.options.selection;
  if (selection.empty()) return {};
  if (selection.size() != 2 || selection.front() > selection.back()) {
    throw Error(ErrorCode::kUsage, "`selection`: expected two steps, the first and the last", "selection");
  }
  return {.first = selection.front(), .count = selection.back() - selection.front() + 1};
}

double draw_heat_rows(Svg& svg, const std::vector<std::string>& symbols, const std::vector<HeatRow>& rows,
                      const HeatPlace& heat) {
  std::vector<SymbolCell> cells = cells_of(symbols);
  if (!cells.empty()) cells.front().ends_line = false;  // what a text begins after
  const double block = kHeatSymbol + kHeatRow * static_cast<double>(rows.size()) + 14;
  const double margin = name_margin(rows);
  const double below =
      place(cells, {.corner = {margin, heat.y}, .width = heat.page - margin - 16, .line_height = block});
  double labelled = -1;
  for (std::size_t t = 0; t < cells.size(); ++t) {
    const SymbolCell& cell = cells[t];
    if (cell.corner.y != labelled) {
      labelled = cell.corner.y;
      draw_row_names(svg, rows, {margin - 8, labelled + kHeatSymbol});
    }
    const std::int64_t step = heat.steps.first + static_cast<std::int64_t>(t);
    const bool selected = step >= heat.selection.first && step <= heat.selection.last();
    svg.open_group(step == heat.at ? "step at" : "step", {{"data-t", step}});
    if (selected) svg.rect(cell.corner, cell.width, kHeatSymbol, "selection");
    if (step == heat.at) svg.rect(cell.corner, cell.width, kHeatSymbol, "mark");
    svg.text({cell.corner.x + cell.width / 2, cell.corner.y + 15}, "symbol middle", cell.shown);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const double value = rows[r].values[t];
      if (rows[r].unit) {
        svg.open("g", {{"data-unit", *rows[r].unit}});
      } else {
        svg.open("g");
      }
      svg.hint(fmt::format("{} after {}: {:.4g}", rows[r].hint, cell.shown, value));
      svg.rect({cell.corner.x, cell.corner.y + kHeatSymbol + kHeatRow * static_cast<double>(r)}, cell.width,
               kHeatRow - 1, scale_class(value, rows[r].least, rows[r].most));
      svg.close();
    }
    svg.close();
  }
  return below;
}

double draw_heat_steps(Svg& svg, const UnrolledText& text, const StepRange& steps, double y) {
  if (steps.count == text.steps()) return y;
  svg.text({70, y + 8}, "small",
           fmt::format("steps {} to {} of {}", with_commas(steps.first), with_commas(steps.last()),
                       with_commas(text.steps())));
  return y + 20;
}

}  // namespace unroll
