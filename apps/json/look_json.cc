#include "json/look_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
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

nlohmann::ordered_json number_or_null(double number) {
  return std::isfinite(number) ? nlohmann::ordered_json(number) : nlohmann::ordered_json();
}

nlohmann::ordered_json gate_or_null(char gate) {
  return gate == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(std::string(1, gate));
}

}  // namespace

nlohmann::ordered_json flow_json(const GradientFlow& flow) {
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (const FlowLine& line : flow.lines) {
    const bool of_layer = line.of != FlowOf::kState && line.of != FlowOf::kInput;
    nlohmann::ordered_json one{{"of", flow_name(line.of)},
                               {"layer", of_layer ? nlohmann::ordered_json(line.layer) : nlohmann::ordered_json()},
                               {"norm", number_or_null(line.norm)},
                               {"per_step", number_or_null(line.per_step)},
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

nlohmann::ordered_json truncation_json(const std::vector<TruncationAt>& lengths) {
  const auto cut = [](const CutGradient& gradient) -> nlohmann::ordered_json {
    return {{"cosine", number_or_null(gradient.cosine)}, {"norm_ratio", number_or_null(gradient.norm_ratio)}};
  };
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const TruncationAt& at : lengths) {
    all.push_back({{"length", at.length}, {"recurrent", cut(at.recurrent)}, {"layers", cut(at.layers)}});
  }
  return all;
}

nlohmann::ordered_json jacobians_json(const std::vector<StepJacobian>& jacobians) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const StepJacobian& one : jacobians) {
    all.push_back({{"step", one.step}, {"largest", one.largest}, {"frobenius", one.frobenius}, {"radius", one.radius}});
  }
  return all;
}

nlohmann::ordered_json radii_json(const std::vector<RecurrentRadius>& radii) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const RecurrentRadius& one : radii) {
    all.push_back({{"layer", one.layer}, {"gate", gate_or_null(one.gate)}, {"radius", one.radius}});
  }
  return all;
}

nlohmann::ordered_json saturation_json(const std::vector<GateSaturation>& saturation) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const GateSaturation& one : saturation) {
    all.push_back({{"layer", one.layer}, {"gate", gate_or_null(one.gate)}, {"low", one.low}, {"high", one.high}});
  }
  return all;
}

std::string_view why_none(const TextFeature& feature) {
  return varies(feature) ? "followed by no unit: all are the same at every symbol"
                         : "the same at every symbol of the text";
}

nlohmann::ordered_json selection_json(const UnrolledText& text, const TextSelection& selection,
                                      const std::vector<SelectedUnit>& units, const std::vector<Passage>& passages) {
  const auto passage_json = [&](std::int64_t from, std::int64_t to) -> nlohmann::ordered_json {
    return {{"from", from}, {"to", to}, {"text", read_in(text, {.from = from, .to = to})}};
  };
  nlohmann::ordered_json json{{"selection", passage_json(selection.from, selection.to)},
                              {"holding", std::ranges::count_if(units, holds_together)},
                              {"units", nlohmann::ordered_json::array()},
                              {"passages", nlohmann::ordered_json::array()}};
  for (const SelectedUnit& unit : units) {
    json["units"].push_back({{"layer", unit.layer},
                             {"of", unit.of_cell_state ? "c" : "h"},
                             {"unit", unit.unit},
                             {"above", unit.above},
                             {"threshold", unit.threshold},
                             {"margin", unit.margin}});
  }
  for (const Passage& passage : passages) {
    json["passages"].push_back(passage_json(passage.from, passage.to));
    json["passages"].back()["units"] = passage.units;
  }
  return json;
}

nlohmann::ordered_json units_json(const std::vector<FollowingUnit>& units) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const FollowingUnit& unit : units) {
    all.push_back({{"layer", unit.layer},
                   {"of", unit.of_cell_state ? "c" : "h"},
                   {"unit", unit.unit},
                   {"correlation", unit.correlation},
                   {"auc", number_or_null(unit.auc)}});
  }
  return all;
}

}  // namespace unroll
