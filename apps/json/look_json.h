// What is seen inside a run of a model, as JSON: the command and the server print the same objects.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "unroll/look/dynamics.h"
#include "unroll/look/gradient_flow.h"
#include "unroll/look/passages.h"
#include "unroll/look/truncation.h"
#include "unroll/look/units.h"

namespace unroll {

// [{"of", "layer", "norm", "per_step", "half_after", "1e-5_after", "lag": [...], "count": [...], ...}, ...].
// `layer` is null where there is none, and so is what is not reached.
[[nodiscard]] nlohmann::ordered_json flow_json(const GradientFlow& flow);

// [{"length", "recurrent": {"cosine", "norm_ratio"}, "layers": {...}}, ...]; null of a gradient that is zero.
[[nodiscard]] nlohmann::ordered_json truncation_json(const std::vector<TruncationAt>& lengths);

// [{"step", "largest", "frobenius", "radius"}, ...]
[[nodiscard]] nlohmann::ordered_json jacobians_json(const std::vector<StepJacobian>& jacobians);

// [{"layer", "gate", "radius"}, ...] and [{"layer", "gate", "low", "high"}, ...]; `gate` is null where there is none.
[[nodiscard]] nlohmann::ordered_json radii_json(const std::vector<RecurrentRadius>& radii);
[[nodiscard]] nlohmann::ordered_json saturation_json(const std::vector<GateSaturation>& saturation);

// [{"layer", "of": "h" or "c", "unit", "correlation", "auc"}, ...]; `auc` is null of a feature that is no claim.
[[nodiscard]] nlohmann::ordered_json units_json(const std::vector<FollowingUnit>& units);

// Why no unit follows a feature at all: "the same at every symbol of the text".
[[nodiscard]] std::string_view why_none(const TextFeature& feature);

// {"selection": {"from", "to", "text"}, "holding": how many units hold it together,
// "units": [{"layer", "of", "unit", "above", "threshold", "margin"}, ...],
// "passages": [{"from", "to", "text", "units"}, ...]}
[[nodiscard]] nlohmann::ordered_json selection_json(const UnrolledText& text, const TextSelection& selection,
                                                    const std::vector<SelectedUnit>& units,
                                                    const std::vector<Passage>& passages);

}  // namespace unroll
