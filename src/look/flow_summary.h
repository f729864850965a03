// What measurements of gradients by lag are summed up to.
#pragma once

#include <cstdint>
#include <vector>

#include "unroll/look/gradient_flow.h"

namespace unroll {

// Throws Error{kUsage} for options out of range.
void expect_flow_options(const GradientFlowOptions& options);

// Requires a number.
[[nodiscard]] double median_of_flow(std::vector<double> numbers);

// Median and quartiles of the ratios at a lag, of which there is one at least.
[[nodiscard]] FlowAtLag summary_of_flow(std::int64_t lag, std::vector<double> ratios);

// FlowLine::per_step.
[[nodiscard]] double per_step_of_flow(const std::vector<FlowAtLag>& lags);

}  // namespace unroll
