// The picture of how far gradients reach, of numbers that were measured already.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "draw/picture.h"
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

// The medians by lag on a logarithmic scale with the quartiles as a band, and a vertical line where training cut them
// off.
[[nodiscard]] Picture flow_picture(const std::vector<NamedFlow>& flows, bool standalone);

}  // namespace unroll
