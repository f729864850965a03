// Numbers over a text: symbols on lines, and below each symbol a coloured cell for each of some rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "draw/asked_units.h"
#include "draw/picture.h"
#include "draw/svg.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {

// A row: a number for each symbol, and the numbers that the ends of the colour scale stand for.
struct HeatRow {
  std::string name;
  std::string hint;
  std::optional<std::int64_t> unit = {};  // whose row it is, where rows are of several
  double least = -1;
  double most = 1;
  std::vector<double> values = {};
};

// Where rows stand on a page, of which steps they are, and what is marked there.
struct HeatPlace {
  double y = 0;
  double page = 0;  // its width
  StepRange steps = {};
  std::int64_t at = -1;  // a step that is framed; -1: none
  StepRange selection = {};
};

// Steps that one picture shows, and of a text those that are read for it, at most.
inline constexpr std::int64_t kHeatSteps = 200;
inline constexpr std::int64_t kHeatText = 16'384;

// `selection`, or none. Throws Error{kUsage} where it is not two steps, the first before the last.
[[nodiscard]] StepRange asked_selection(const PictureRequest& request);

// Draws from `y` down; returns the y below.
double draw_heat_rows(Svg& svg, const std::vector<std::string>& symbols, const std::vector<HeatRow>& rows,
                      const HeatPlace& place);

// Words for the steps that are shown of a text with more, below the rows at `y`; returns the y below.
double draw_heat_steps(Svg& svg, const UnrolledText& text, const StepRange& steps, double y);

// The scale, with the words at its ends.
void draw_scale(Svg& svg, Point corner, const std::string& least, const std::string& most);

// The class of a number's colour, "v0" to "v8".
[[nodiscard]] std::string scale_class(double value, double least, double most);

}  // namespace unroll
