#include "draw/arrows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace unroll {
namespace {

constexpr double kHead = 6;  // its length, and its width

std::string point(double x, double y) { return svg_number(x) + " " + svg_number(y); }

// A triangle whose tip is at `tip`, in the direction (dx, dy) of length 1.
std::string head(Point tip, double dx, double dy, double size) {
  const double x = tip.x - size * dx;
  const double y = tip.y - size * dy;
  const double half = size / 2;
  return "M" + point(tip.x, tip.y) + " L" + point(x - half * dy, y + half * dx) + " L" +
         point(x + half * dy, y - half * dx) + " Z";
}

}  // namespace

void arrow(Svg& svg, Point from, Point to, std::string_view classes, Attributes more) {
  const double length = std::max(1e-9, std::hypot(to.x - from.x, to.y - from.y));
  const double dx = (to.x - from.x) / length;
  const double dy = (to.y - from.y) / length;
  svg.path(
      "M" + point(from.x, from.y) + " L" + point(to.x - kHead * dx, to.y - kHead * dy) + " " + head(to, dx, dy, kHead),
      "arrow " + std::string(classes), more);
}

void loop_arrow(Svg& svg, Point side, double width, std::string_view classes, Attributes more) {
  const Point tip{side.x + 1, side.y + 11};
  svg.path("M" + point(side.x, side.y - 11) + " C" + point(side.x + width, side.y - 34) + " " +
               point(side.x + width, side.y + 34) + " " + point(tip.x + kHead, tip.y),
           "arrow hollow " + std::string(classes), more);
  svg.path(head(tip, -1, 0, kHead), "arrow " + std::string(classes));
}

void thick_arrow(Svg& svg, Point from, Point to, double thick, std::string_view classes, Attributes more,
                 std::string_view hint) {
  const double length = std::max(1e-9, std::hypot(to.x - from.x, to.y - from.y));
  const double dx = (to.x - from.x) / length;
  const double dy = (to.y - from.y) / length;
  const double half = thick / 2;
  const double wing = half + 3;
  const double head_length = std::min(length / 2, 5 + half);
  const Point neck{to.x - head_length * dx, to.y - head_length * dy};
  const auto beside = [&](Point at, double by) { return point(at.x - by * dy, at.y + by * dx); };
  const std::string data = "M" + beside(from, half) + " L" + beside(neck, half) + " L" + beside(neck, wing) + " L" +
                           point(to.x, to.y) + " L" + beside(neck, -wing) + " L" + beside(neck, -half) + " L" +
                           beside(from, -half) + " Z";
  svg.path(data, classes, more, hint);
}

}  // namespace unroll
