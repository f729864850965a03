#include "draw/heat_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "draw/shown.h"
#include "draw/text_flow.h"

namespace unroll {
namespace {

constexpr int kScaleColours = 9;
constexpr double kHeatMargin = 84;  // for the names of rows
constexpr double kHeatSymbol = 20;
constexpr double kHeatRow = 13;

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

double draw_heat_rows(Svg& svg, const std::vector<std::string>& symbols, const std::vector<HeatRow>& rows, double y,
                      double page, std::int64_t first_step, std::int64_t marked) {
  std::vector<SymbolCell> cells = cells_of(symbols);
  if (!cells.empty()) cells.front().ends_line = false;  // what a text begins after
  const double block = kHeatSymbol + kHeatRow * static_cast<double>(rows.size()) + 14;
  const double below =
      place(cells, {.corner = {kHeatMargin, y}, .width = page - kHeatMargin - 16, .line_height = block});
  double labelled = -1;
  for (std::size_t t = 0; t < cells.size(); ++t) {
    const SymbolCell& cell = cells[t];
    if (cell.corner.y != labelled) {
      labelled = cell.corner.y;
      for (std::size_t r = 0; r < rows.size(); ++r) {
        svg.text({kHeatMargin - 8, labelled + kHeatSymbol + kHeatRow * static_cast<double>(r) + 11}, "small end",
                 rows[r].name);
      }
    }
    const std::int64_t step = first_step + static_cast<std::int64_t>(t);
    svg.open_group(step == marked ? "step at" : "step", {{"data-t", step}});
    if (step == marked) svg.rect({cell.corner.x, cell.corner.y}, cell.width, kHeatSymbol, "mark");
    svg.text({cell.corner.x + cell.width / 2, cell.corner.y + 15}, "symbol middle", cell.shown);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const double value = rows[r].values[t];
      svg.open("g", {});
      svg.hint(fmt::format("{} after {}: {:.4g}", rows[r].hint, cell.shown, value));
      svg.rect({cell.corner.x, cell.corner.y + kHeatSymbol + kHeatRow * static_cast<double>(r)}, cell.width,
               kHeatRow - 1, scale_class(value, rows[r].least, rows[r].most));
      svg.close();
    }
    svg.close();
  }
  return below;
}

}  // namespace unroll
