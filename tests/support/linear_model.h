// A language model that is linear where it is used.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "support/tiny_model.h"

namespace unroll {

// A network of one layer that is linear where it is used: relu of what is always positive, with W of spectral radius r.
inline Model linear_model(double radius) {
  const NetworkConfig config{
      .cell = Cell::kRnnRelu, .vocabulary = tiny_characters().size(), .embed = 3, .hidden = 6, .layers = 1};
  Parameters parameters = random_parameters(config, 0.5F, 11);
  const RecurrentParams<float>& layer = parameters.layer(0);
  for (float& value : layer.U.flat()) value = std::fabs(value);
  for (float& value : parameters.encoder().flat()) value = std::fabs(value);
  for (float& value : layer.b_input) value = 0.5F;
  for (float& value : layer.b_hidden) value = 0;
  for (float& value : layer.W.flat()) value = std::fabs(value);
  // The largest eigenvalue of a positive matrix is its radius: by repeated products.
  std::vector<double> v(6, 1);
  double norm = 0;
  for (int times = 0; times < 200; ++times) {
    std::vector<double> next(6);
    norm = 0;
    for (std::int64_t i = 0; i < 6; ++i) {
      for (std::int64_t j = 0; j < 6; ++j)
        next[static_cast<std::size_t>(i)] += static_cast<double>(layer.W(i, j)) * v[static_cast<std::size_t>(j)];
      norm += next[static_cast<std::size_t>(i)] * next[static_cast<std::size_t>(i)];
    }
    norm = std::sqrt(norm);
    for (double& value : next) value /= norm;
    v = next;
  }
  for (float& value : layer.W.flat()) value *= static_cast<float>(radius / norm);
  return model_of(config, tiny_characters(), std::move(parameters));
}

}  // namespace unroll
