// Weights of networks whose speed alone matters.
#pragma once

#include <cmath>
#include <random>

#include "network/parameters.h"

namespace unroll {

// Uniform in +-1/sqrt(H), as new networks are.
inline Parameters random_parameters(const NetworkConfig& config) {
  Parameters parameters(config);
  std::mt19937 generator(2);
  const float bound = 1 / std::sqrt(static_cast<float>(config.hidden));
  for (float& value : parameters.all()) value = bound * (static_cast<float>(generator() >> 8U) * 0x1p-23F - 1);
  return parameters;
}

}  // namespace unroll
