// Names of the tensors of PyTorch's recurrent modules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unroll {

// "weight_hh_l0_reverse" taken apart.
struct RecurrentName {
  std::string part = {};   // "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"
  std::int64_t level = 0;  // 0 too for a cell, whose names have none
  bool is_reverse = false;
  bool is_raw = false;  // the weight of which another one is a copy with dropped-out units
};

// Nothing for the name of another tensor.
[[nodiscard]] std::optional<RecurrentName> parse_recurrent_name(std::string_view leaf);

}  // namespace unroll
