// The picture of how far gradients reach, of numbers that were measured already.
#pragma once

#include <cstdint>
#include <functional>
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
  std::optional<double> first_word = {};  // of answers: what is left at the first word (AnswerFlow::first_word)
};

// The flow of a model over a text; its first line is drawn: of predictions the state's, of answers the input's.
struct DrawnFlow {
  GradientFlow flow;
  std::optional<double> first_word = {};
};

// Calls `between` between pieces of the work, with the lag that was measured.
[[nodiscard]] DrawnFlow measured_flow(const UnrolledText& text, const GradientFlowOptions& options,
                                      const std::function<void(std::int64_t lag)>& between);

// What is measured, in words: of a line, and of answers what reaches the first word.
[[nodiscard]] std::string flow_words(const NamedFlow& flow);

// "x0.57 per step: half gone after 1.2 steps, 1e-5 after 20".
[[nodiscard]] std::string flow_words(const FlowLine& line);

// The medians by lag on a logarithmic scale with the quartiles as a band, and a vertical line where training cut them
// off.
[[nodiscard]] Picture flow_picture(const std::vector<NamedFlow>& flows, bool standalone);

}  // namespace unroll
