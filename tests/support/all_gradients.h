// Gradients with a float for every parameter, for tests that compare them.
#pragma once

#include "network/gradients.h"

namespace unroll {

inline Parameters all_gradients(const NetworkConfig& config, const Gradients& gradients) {
  Parameters all(config);
  gradients.copy_to(all);
  return all;
}

}  // namespace unroll
