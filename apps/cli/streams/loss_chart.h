// Draws a training history as text.
#pragma once

#include <string>
#include <vector>

#include "unroll/model.h"

namespace unroll {

// Loss over steps in ASCII, 70 columns wide: '.' training, 'o' validation. Empty for fewer than two points.
[[nodiscard]] std::string format_loss_chart(const std::vector<HistoryPoint>& history);

}  // namespace unroll
