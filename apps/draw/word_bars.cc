#include "draw/word_bars.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "draw/heat_rows.h"
#include "draw/shown.h"
#include "draw/text_flow.h"

namespace unroll {

void set_signed_scale(WordBars& bars) {
  bars.most = 1e-9;
  for (const double value : bars.values) bars.most = std::max(bars.most, std::abs(value));
  bars.least = -bars.most;
}

double draw_word_bars(Svg& svg, const std::vector<std::string>& words, const WordBars& bars, Point corner, double width,
                      std::int64_t marked) {
  constexpr double kScaleWidth = 230;
  std::vector<SymbolCell> cells = cells_of(words);
  for (SymbolCell& cell : cells) cell.width += 5;
  svg.text(corner, "small", bars.title);
  draw_scale(svg, {corner.x + width - kScaleWidth, corner.y - 11}, bars.ends.first, bars.ends.second);
  const double below = place(cells, {.corner = {corner.x, corner.y + 14}, .width = width, .line_height = 30});
  for (std::size_t t = 0; t < cells.size() && t < bars.values.size(); ++t) {
    const SymbolCell& cell = cells[t];
    const double value = bars.values[t];
    svg.open_group(bars.group, {{"data-t", t}, {"data-value", fmt::format("{:.6g}", value)}});
    svg.hint(cell.shown + ": " + (bars.least < 0 ? fmt::format("{:+.3g}", value) : percent(value)));
    if (static_cast<std::int64_t>(t) == marked) {
      svg.rect({cell.corner.x + 1, cell.corner.y + 1}, cell.width - 2, 17, "mark");
    }
    svg.text({cell.corner.x + cell.width / 2, cell.corner.y + 14}, "symbol middle", cell.shown);
    svg.rect({cell.corner.x + 1, cell.corner.y + 18}, cell.width - 2, 7, scale_class(value, bars.least, bars.most));
    svg.close();
  }
  return below;
}

}  // namespace unroll
