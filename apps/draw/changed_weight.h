// One number of a network that is another: what follows from it at every step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "draw/picture.h"
#include "unroll/look/unrolled_text.h"

namespace unroll {

// `change` of the options. Throws Error{kUsage} where it is not MATRIX,ROW,COLUMN,VALUE.
[[nodiscard]] std::optional<WeightChange> asked_change(const PictureOptions& options);

// "W[3, 5]", with more than one layer "W[3, 5] of layer 0".
[[nodiscard]] std::string place_words(const WeightPlace& place, std::int64_t layers);

// By step: ||s' - s|| / ||s||, s being h of all layers without the change and s' with it.
[[nodiscard]] std::vector<double> state_changes(const UnrolledText& before, const UnrolledText& after);

}  // namespace unroll
