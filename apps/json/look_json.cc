#include "json/look_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "json/json_text.h"

namespace unroll {
namespace {

std::string_view flow_name(FlowOf of) {
  switch (of) {
    case FlowOf::kState:
      return "state";
    case FlowOf::kLayerState:
      return "h and c";
    case FlowOf::kHidden:
      return "h";
    case FlowOf::kCell:
      return "c";
    case FlowOf::kInput:
      return "input";
  }
  return "";
}

}  // namespace

nlohmann::ordered_json flow_json(const GradientFlow& flow) {
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (const FlowLine& line : flow.lines) {
    const bool of_layer = line.of != FlowOf::kState && line.of != FlowOf::kInput;
    const std::optional<double> per_step =
        std::isfinite(line.per_step) ? std::optional<double>(line.per_step) : std::nullopt;
    nlohmann::ordered_json one{{"of", flow_name(line.of)},
                               {"layer", of_layer ? nlohmann::ordered_json(line.layer) : nlohmann::ordered_json()},
                               {"per_step", or_null(per_step)},
                               {"half_after", or_null(line.reaches(0.5))},
                               {"1e-5_after", or_null(line.reaches(1e-5))}};
    for (const char* const column : {"lag", "count", "lower", "median", "upper"}) {
      one[column] = nlohmann::ordered_json::array();
    }
    for (const FlowAtLag& at : line.lags) {
      one["lag"].push_back(at.lag);
      one["count"].push_back(at.count);
      one["lower"].push_back(at.lower);
      one["median"].push_back(at.median);
      one["upper"].push_back(at.upper);
    }
    lines.push_back(std::move(one));
  }
  return lines;
}

}  // namespace unroll
