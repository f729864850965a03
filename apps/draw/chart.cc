#include "draw/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "draw/shown.h"

namespace unroll {
namespace {

constexpr std::size_t kLineStyles = 6;

std::string with_digits(double number, int digits) {
  return digits == 3 ? three_digits(number) : fmt::format("{:.{}g}", number, digits);
}

}  // namespace

Point Plane::at(double x, double y) const {
  const double across = right == left ? 0 : (x - left) / (right - left);
  const double up = top == bottom ? 0 : (y - bottom) / (top - bottom);
  return {corner.x + width * std::clamp(across, 0.0, 1.0), corner.y + height * (1 - std::clamp(up, 0.0, 1.0))};
}

std::vector<double> round_ticks(double from, double to, int most) {
  std::vector<double> ticks;
  if (!(to > from) || most < 1) return {from};
  double apart = std::pow(10.0, std::floor(std::log10((to - from) / most)));
  for (const double times : {2.0, 2.5, 2.0}) {
    if ((to - from) / apart <= most) break;
    apart *= times;
  }
  for (double tick = std::ceil(from / apart - 1e-9) * apart; tick <= to + 1e-9 * apart; tick += apart) {
    ticks.push_back(std::abs(tick) < apart / 2 ? 0 : tick);
  }
  return ticks;
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks,
                                     std::string (*shown)(double number, int digits)) {
  constexpr int kLeastDigits = 3;
  constexpr int kMostDigits = 15;
  std::vector<std::string> labels(ticks.size());
  for (int digits = kLeastDigits; digits <= kMostDigits; ++digits) {
    for (std::size_t i = 0; i < ticks.size(); ++i) labels[i] = shown(ticks[i], digits);
    if (std::ranges::adjacent_find(labels) == labels.end()) break;
  }
  return labels;
}

void draw_grid(Svg& svg, const Plane& plane, std::string_view x_name, std::string_view y_name) {
  const std::vector<double> rows = round_ticks(plane.bottom, plane.top, 6);
  const std::vector<std::string> row_labels = tick_labels(rows, with_digits);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Point left = plane.at(plane.left, rows[i]);
    svg.line(left, {plane.edge_right(), left.y}, "grid");
    svg.text({left.x - 6, left.y + 4}, "small end", row_labels[i]);
  }
  std::vector<double> columns = round_ticks(plane.left, plane.right, 10);
  if (plane.counts) std::erase_if(columns, [](double x) { return x != std::round(x); });
  const std::vector<std::string> column_labels = tick_labels(columns, with_digits);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    svg.text({plane.at(columns[i], plane.bottom).x, plane.edge_bottom() + 16}, "small middle", column_labels[i]);
  }
  svg.text({plane.corner.x + plane.width / 2, plane.edge_bottom() + 34}, "small middle", x_name);
  svg.text({plane.corner.x - 40, plane.corner.y - 16}, "small", y_name);
}

std::string line_class(std::size_t i) { return fmt::format("line l{}", i % kLineStyles); }
std::string band_class(std::size_t i) { return fmt::format("b{}", i % kLineStyles); }

void draw_line(Svg& svg, const std::vector<Point>& points, std::string_view classes) {
  std::string list;
  for (const Point& point : points) list += svg_number(point.x) + "," + svg_number(point.y) + " ";
  svg.put("polyline", {{"points", list}, {"class", classes}});
}

void draw_legend(Svg& svg, Point at, std::size_t i, std::string_view words) {
  svg.line({at.x, at.y - 4}, {at.x + 40, at.y - 4}, line_class(i));
  svg.text({at.x + 50, at.y}, "small", words);
}

}  // namespace unroll
