// The tensors of a network as PyTorch's modules have them: those of network/network_tensors.h, with
//
//   condition.h_lK, condition.c_lK  (conditions, H)
//   crf.transitions                 (K, K)
//   attention.weight                (1, D), as nn.Linear has it
//   decoder.weight                  of tied weights too: encoder.weight again
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "network/parameters.h"

namespace unroll {

struct ExportedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> numbers;  // of the parameters; of tied weights twice the same
};

// Views of the parameters of that network.
[[nodiscard]] std::vector<ExportedTensor> exported_tensors(const NetworkConfig& config, const Parameters& parameters);

}  // namespace unroll
