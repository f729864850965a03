// `draw curves`: training runs from their logs.
#pragma once

#include <string>
#include <vector>

namespace unroll {

// Runs `unroll draw curves` with the arguments after these words; returns the status of the program.
int run_draw_curves(const std::vector<std::string>& arguments);

}  // namespace unroll
