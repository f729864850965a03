#include "cli/verbs/gradflow_sections.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/streams/escaped.h"
#include "draw/shown.h"
#include "json/json_text.h"
#include "json/look_json.h"
#include "unroll/error.h"
#include "unroll/look/gradient_flow.h"

namespace unroll {
namespace {

constexpr std::int64_t kJacobians = 9;  // of so many steps, evenly spaced

std::vector<std::int64_t> parse_lengths(const std::string& list) {
  const std::vector<std::int64_t> lengths = parse_wholes(list);
  if (std::ranges::any_of(lengths, [](std::int64_t length) { return length < 1; })) {
    throw Error(ErrorCode::kUsage, fmt::format("\"{}\": expected lengths of 1 or more, such as 8,16,32", list));
  }
  return lengths;
}

MeasuredDynamics dynamics_of(const UnrolledText& text) {
  const NetworkConfig& config = text.model().config();
  const std::int64_t numbers = config.layers * config.hidden * (has_cell_state(config.cell) ? 2 : 1);
  MeasuredDynamics dynamics{.radii = recurrent_radii(text.model()),
                            .jacobians = {},
                            .lyapunov = largest_lyapunov_exponent(text),
                            .saturation = gate_saturation(text)};
  if (numbers <= kLargestJacobian) {
    dynamics.jacobians = step_jacobians(text, flow_positions(text, {.lags = 1, .positions = kJacobians}));
  }
  return dynamics;
}

// Gradients that are equal to the bit read 1; others never do.
std::string ratio_words(double value) {
  if (std::isnan(value)) return "-";
  if (value == 1) return "1";
  return fmt::format("{:.6f}", value);
}

std::string gate_place(std::int64_t layer, char gate) {
  return gate == 0 ? fmt::format("layer {}", layer) : fmt::format("layer {} {}", layer, gate);
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::string jacobians_text(const std::vector<StepJacobian>& jacobians) {
  if (jacobians.empty()) {
    return fmt::format("  Jacobians      not formed: the state has more than {} numbers\n", kLargestJacobian);
  }
  const auto row = [&](const char* name, double StepJacobian::*number) {
    std::vector<double> values;
    for (const StepJacobian& one : jacobians) values.push_back(one.*number);
    const auto [least, most] = std::ranges::minmax(values);
    return fmt::format("  {:<22} {:>9.4f}  {:>9.4f} to {:.4f}\n", name, median_of(values), least, most);
  };
  return fmt::format("  {:<22} {:>9}  {:>9}    of {}\n", "a step's Jacobian", "median", "range",
                     counted(std::ssize(jacobians), "step")) +
         row("largest singular value", &StepJacobian::largest) + row("Frobenius norm", &StepJacobian::frobenius) +
         row("spectral radius", &StepJacobian::radius);
}

std::string truncation_table(const std::vector<TruncationAt>& lengths) {
  std::string text = fmt::format("  {:>6}  {:>10}  {:>10}  {:>12}  {:>12}\n", "length", "cosine W", "norm W",
                                 "cosine layer", "norm layer");
  for (const TruncationAt& at : lengths) {
    text += fmt::format("  {:>6}  {:>10}  {:>10}  {:>12}  {:>12}\n", at.length, ratio_words(at.recurrent.cosine),
                        ratio_words(at.recurrent.norm_ratio), ratio_words(at.layers.cosine),
                        ratio_words(at.layers.norm_ratio));
  }
  return text;
}

std::string dynamics_table(const MeasuredDynamics& dynamics) {
  std::string text;
  if (dynamics.lyapunov) {
    text += fmt::format("  {:<22} {:>9.4f} nats per step: x{:.3g}\n", "Lyapunov exponent", *dynamics.lyapunov,
                        std::exp(*dynamics.lyapunov));
  } else {
    text += fmt::format("  {:<22} {:>9} lines are shorter than 20 steps\n", "Lyapunov exponent", "-");
  }
  text += jacobians_text(dynamics.jacobians);
  for (const RecurrentRadius& one : dynamics.radii) {
    text += fmt::format("  {:<22} {:>9.4f}\n", "radius of W, " + gate_place(one.layer, one.gate), one.radius);
  }
  for (const GateSaturation& one : dynamics.saturation) {
    text += fmt::format("  {:<22} {:>8.1f}%  low, {:.1f}% high\n", "saturated, " + gate_place(one.layer, one.gate),
                        100 * one.low, 100 * one.high);
  }
  return text;
}

nlohmann::ordered_json dynamics_json(const MeasuredDynamics& dynamics) {
  const bool is_number = dynamics.lyapunov && std::isfinite(*dynamics.lyapunov);
  return {{"lyapunov", or_null(is_number ? dynamics.lyapunov : std::nullopt)},
          {"jacobians", jacobians_json(dynamics.jacobians)},
          {"radii", radii_json(dynamics.radii)},
          {"saturation", saturation_json(dynamics.saturation)}};
}

}  // namespace

void add_section_flags(Flags& flags, AskedSections& asked) {
  flags.text({"--truncate", "LENGTHS",
              "also what --bptt at these lengths cuts off: cosine and ratio of norms of the weights' truncated "
              "gradient against the full one; as 8,16,32",
              ""},
             [&asked](const std::string& lengths) { asked.lengths = parse_lengths(lengths); });
  flags.toggle({"--dynamics", "",
                "also the largest Lyapunov exponent, Jacobians of single steps, the spectral radius of W and how often "
                "gates are near their ends",
                ""},
               &asked.dynamics);
}

MeasuredSections measured_sections(const UnrolledText& text, const AskedSections& asked) {
  MeasuredSections sections;
  if (!asked.lengths.empty()) sections.truncation = truncated_gradients(text, asked.lengths);
  if (asked.dynamics) sections.dynamics = dynamics_of(text);
  return sections;
}

std::string sections_text(const std::string& name, const MeasuredSections& sections) {
  std::string text;
  if (!sections.truncation.empty()) {
    text += fmt::format("\nTruncated gradients, {}\n{}", escaped(name), truncation_table(sections.truncation));
  }
  if (sections.dynamics) text += fmt::format("\nDynamics, {}\n{}", escaped(name), dynamics_table(*sections.dynamics));
  return text;
}

void add_sections(const MeasuredSections& sections, nlohmann::ordered_json& model) {
  if (!sections.truncation.empty()) model["truncation"] = truncation_json(sections.truncation);
  if (sections.dynamics) model["dynamics"] = dynamics_json(*sections.dynamics);
}

}  // namespace unroll
