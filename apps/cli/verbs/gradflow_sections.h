// What `unroll gradflow` measures only where it is asked to: what truncation cuts off, and the dynamics along a text.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/flags/flags.h"
#include "unroll/look/dynamics.h"
#include "unroll/look/truncation.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {

// What was asked for.
struct AskedSections {
  std::vector<std::int64_t> lengths = {};  // of truncation
  bool dynamics = false;
};

// Adds --truncate and --dynamics.
void add_section_flags(Flags& flags, AskedSections& asked);

struct MeasuredDynamics {
  std::vector<RecurrentRadius> radii = {};
  std::vector<StepJacobian> jacobians = {};  // empty: the state has too many numbers
  std::optional<double> lyapunov = {};
  std::vector<GateSaturation> saturation = {};
};

// What was measured of one model; empty: it was not asked for.
struct MeasuredSections {
  std::vector<TruncationAt> truncation = {};
  std::optional<MeasuredDynamics> dynamics = {};
};

[[nodiscard]] MeasuredSections measured_sections(const UnrolledText& text, const AskedSections& asked);

// As tables, each under a heading with the name of the model.
[[nodiscard]] std::string sections_text(const std::string& name, const MeasuredSections& sections);

// Adds "truncation" and "dynamics" to the object of a model.
void add_sections(const MeasuredSections& sections, nlohmann::ordered_json& model);

}  // namespace unroll
