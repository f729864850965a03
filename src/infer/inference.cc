#include "infer/inference.h"

namespace unroll {

void set_sequence(std::int32_t input, std::span<const std::int32_t> next, Window& window) {
  window.T = static_cast<std::int64_t>(next.size());
  window.B = 1;
  window.inputs.assign(1, input);
  window.inputs.insert(window.inputs.end(), next.begin(), next.end() - 1);
  window.targets.assign(next.begin(), next.end());
  window.reset.clear();
  window.predictions = window.T;
}

}  // namespace unroll
