// What charts have in common: planes, grids, legends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "draw/svg.h"

namespace unroll {

// A rectangle that shows x from left to right and y from the bottom up.
struct Plane {
  Point corner = {};  // top left
  double width = 0;
  double height = 0;
  double left = 0;  // the numbers at the four edges
  double right = 1;
  double bottom = 0;
  double top = 1;
  bool counts = false;  // x is a number of things: it has whole ticks

  [[nodiscard]] Point at(double x, double y) const;
  [[nodiscard]] double edge_right() const { return corner.x + width; }
  [[nodiscard]] double edge_bottom() const { return corner.y + height; }
};

// Numbers 1, 2 or 5 times a power of ten apart, of which at most `most` are within the two.
[[nodiscard]] std::vector<double> round_ticks(double from, double to, int most);

// What to write at ticks: as many digits, from three on, as tell each tick from the next. `shown` writes a number.
[[nodiscard]] std::vector<std::string> tick_labels(const std::vector<double>& ticks,
                                                   std::string (*shown)(double number, int digits));

// Lines across the plane with their numbers at the left, and numbers below.
void draw_grid(Svg& svg, const Plane& plane, std::string_view x_name, std::string_view y_name);

// Class of the line of series i, "line l0", and of what is filled in its colour, "b0".
[[nodiscard]] std::string line_class(std::size_t i);
[[nodiscard]] std::string band_class(std::size_t i);

// A line through the points.
void draw_line(Svg& svg, const std::vector<Point>& points, std::string_view classes);

// A short line in the manner of series i, and words after it.
void draw_legend(Svg& svg, Point at, std::size_t i, std::string_view words);

}  // namespace unroll
