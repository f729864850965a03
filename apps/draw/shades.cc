#include "draw/shades.h"

#include <fmt/format.h>

#include <algorithm>

namespace unroll {

std::size_t shade_of(std::span<const double> limits, double number) {
  return static_cast<std::size_t>(std::ranges::upper_bound(limits, number) - limits.begin());
}

double draw_shade_scale(Svg& svg, Point corner, const ShadeScale& scale) {
  svg.open_group("shades", {});
  svg.text({corner.x, corner.y + 12}, "small", scale.title);
  double x = corner.x + scale.title_width;
  for (std::size_t shade = 0; shade <= scale.limits.size(); ++shade, x += scale.label_width) {
    const double width = scale.label_width - 1;
    svg.rect({x, corner.y}, width, 16, fmt::format("heat{}", shade));
    svg.text({x + width / 2, corner.y + 12}, fmt::format("small middle on{}", shade),
             shade == 0 ? scale.lightest : fmt::format("{} +", scale.limits[shade - 1]));
  }
  svg.close();
  return corner.y + 36;
}

void draw_symbol_box(Svg& svg, const SymbolCell& cell, std::size_t shade) {
  draw_symbol_box(svg, cell, fmt::format("heat{}", shade), fmt::format("on{}", shade));
}

void draw_symbol_box(Svg& svg, const SymbolCell& cell, const std::string& box, const std::string& letters) {
  svg.rect(cell.corner, cell.width - 1, 21, box);
  svg.text({cell.corner.x + (cell.width - 1) / 2, cell.corner.y + 15}, "symbol middle " + letters, cell.shown);
}

}  // namespace unroll
