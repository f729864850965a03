// The label that a language model with conditions is given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "network/network_weights.h"
#include "text/window.h"
#include "unroll/model.h"
#include "unroll/state.h"

namespace unroll {

// The place of `label` among the labels of a model with conditions; nothing where the model has none and no label is
// given. Throws Error{kUsage} for a label that the model does not have or a model without labels, and where a model
// with labels is given none; `field` is what errors name.
[[nodiscard]] std::optional<std::int32_t> condition_of(const Model& model, const std::string& label,
                                                       std::string_view field = "label");

// Makes all rows of a window begin from the state of a label instead of zero; nothing without one.
void begin_with(std::optional<std::int32_t> condition, Window& window);

// Makes a zero state that of a label.
void set_condition(const NetworkConfig& config, const NetworkWeights& weights, std::int32_t condition, State& state);

}  // namespace unroll
