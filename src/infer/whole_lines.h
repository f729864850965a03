// What works with the probability of whole lines, and not of what follows a given symbol.
#pragma once

#include <optional>
#include <string_view>

#include "unroll/model.h"

namespace unroll {

// Throws Error{kUsage}, saying that `what` ("rescoring") needs it, unless the model predicts each symbol of a line, the
// first one and the end included. `begin`: where it is chosen; empty: the model's.
void expect_whole_lines(const Model& model, std::string_view what, std::optional<BeginPolicy> begin = {});

}  // namespace unroll
