// Symbols of a text in shades: the boxes, and the scale that says what the shades mean.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "draw/svg.h"
#include "draw/text_flow.h"

namespace unroll {

// From which number on each shade but the lightest is, increasing; the style sheet has heat0, heat1, ...
struct ShadeScale {
  std::span<const double> limits;
  std::string title;
  std::string lightest;     // the label of the first shade
  double title_width = 0;   // from the corner to the first shade
  double label_width = 46;  // of each shade
};

[[nodiscard]] std::size_t shade_of(std::span<const double> limits, double number);

// Returns the y below.
double draw_shade_scale(Svg& svg, Point corner, const ShadeScale& scale);

// A symbol in its cell, in a shade or in other classes of the style sheet.
void draw_symbol_box(Svg& svg, const SymbolCell& cell, std::size_t shade);
void draw_symbol_box(Svg& svg, const SymbolCell& cell, const std::string& box, const std::string& letters);

}  // namespace unroll
