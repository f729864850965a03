// Arrows, each one path.
#pragma once

#include <string_view>

#include "draw/svg.h"

namespace unroll {

// A thin arrow of class "arrow" and `classes`, with its head at `to`.
void arrow(Svg& svg, Point from, Point to, std::string_view classes, Attributes more = {});

// A loop on the right of a box whose right side it leaves above `side` and meets again below it.
void loop_arrow(Svg& svg, Point side, double width, std::string_view classes, Attributes more = {});

// An arrow with a shaft so thick, filled; a pointer over it is shown the hint.
void thick_arrow(Svg& svg, Point from, Point to, double thick, std::string_view classes, Attributes more,
                 std::string_view hint);

}  // namespace unroll
