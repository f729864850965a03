// Numbers over a text: symbols on lines, and below each symbol a coloured cell for each of some rows.
#pragma once

#include <string>
#include <vector>

#include "draw/svg.h"

namespace unroll {

// A row: a number for each symbol, and the numbers that the ends of the colour scale stand for.
struct HeatRow {
  std::string name;
  std::string hint;
  double least = -1;
  double most = 1;
  std::vector<double> values = {};
};

// Draws from `y` down on a page so wide; returns the y below. `marked`: the symbol that is framed; -1: none.
double draw_heat_rows(Svg& svg, const std::vector<std::string>& symbols, const std::vector<HeatRow>& rows, double y,
                      double page, std::int64_t first_step, std::int64_t marked = -1);

// The scale, with the words at its ends.
void draw_scale(Svg& svg, Point corner, const std::string& least, const std::string& most);

// The class of a number's colour, "v0" to "v8".
[[nodiscard]] std::string scale_class(double value, double least, double most);

}  // namespace unroll
