// Draws how far gradients reach.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unroll/look/gradient_flow.h"

namespace unroll {

// The flow of one model.
struct NamedFlow {
  std::string name;
  std::optional<std::int64_t> bptt;  // the length after which its training cut gradients off
  FlowLine line;
};

// "x0.57 per step: half gone after 1.2 steps, 1e-5 after 20".
[[nodiscard]] std::string flow_words(const FlowLine& line);

// A table by lag: of each model the median and, in brackets, the quartiles.
[[nodiscard]] std::string flow_table(const std::vector<NamedFlow>& flows);

// An SVG of its own: the medians by lag on a logarithmic scale with the quartiles as a band, and a vertical line where
// training cut them off. Light or dark as the viewer is; colours differ in lightness too, lines in their dashes.
[[nodiscard]] std::string flow_svg(const std::vector<NamedFlow>& flows);

}  // namespace unroll
