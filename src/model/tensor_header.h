// The JSON header of a safetensors file, read without building a tree, so that memory stays within a small multiple of
// the header's length whatever it holds.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// One tensor's entry as it stands in the header; nothing is known of its numbers but that they are whole and >= 0.
struct HeaderTensor {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;         // at most 8
  std::vector<std::uint64_t> data_offsets;  // exactly 2
};

struct TensorHeader {
  std::vector<HeaderTensor> tensors;  // in the order of the header; names are distinct
  std::map<std::string, std::string> metadata;
};

// Throws Error{kFormat} with `path` and the byte for what is not JSON, not UTF-8, not of that form, or there twice.
[[nodiscard]] TensorHeader parse_tensor_header(std::string_view text, const std::string& path);

}  // namespace unroll
