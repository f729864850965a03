// A network on windows of random symbols, which train_step and infer_step run and write for the other side.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "model/tensor_file.h"
#include "network/parameters.h"
#include "text/batcher.h"
#include "unroll/network.h"

namespace unroll {

struct Case {
  NetworkConfig config;
  std::int64_t B = 0;
  std::int64_t T = 0;
  int threads = 1;
  Precision precision = Precision::kF32;
};

// windows * T + 1 symbols for each of B rows, time-major: window w predicts those from w * T + 1 on.
inline std::vector<std::int32_t> random_ids(const Case& c, std::int64_t windows) {
  std::mt19937 generator(1);
  std::vector<std::int32_t> ids(static_cast<std::size_t>((windows * c.T + 1) * c.B));
  const auto V = static_cast<std::uint64_t>(c.config.vocabulary);
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(generator() % V);
  return ids;
}

inline std::vector<Window> random_windows(const Case& c, std::int64_t windows) {
  const std::vector<std::int32_t> ids = random_ids(c, windows);
  std::vector<Window> result;
  for (std::int64_t w = 0; w < windows; ++w) {
    const auto first = ids.begin() + w * c.T * c.B;
    result.push_back({.T = c.T,
                      .B = c.B,
                      .inputs = {first, first + c.T * c.B},
                      .targets = {first + c.B, first + (c.T + 1) * c.B},
                      .reset = {},
                      .predictions = c.T * c.B});
  }
  return result;
}

// Symbols are written as floats, which hold them exactly.
inline void write(const Case& c, std::int64_t windows, const Parameters& parameters, const std::string& path) {
  const std::vector<std::int32_t> ids = random_ids(c, windows);
  const std::vector<float> id_values(ids.begin(), ids.end());
  std::vector<TensorToWrite> tensors;
  for (const ParameterTensor& tensor : parameters.tensors()) {
    tensors.push_back({tensor.name, tensor.shape, parameters.values(tensor)});
  }
  tensors.push_back({"ids", {windows * c.T + 1, c.B}, id_values});
  write_tensor_file(path, tensors, {{"format", "unroll-bench/1"}});
}

}  // namespace unroll
