// Parses the JSON header of a safetensors file without building a tree, so that memory stays within a small multiple of
// the header's length for any content.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// One tensor's entry as in the header. Its numbers are integers >= 0, otherwise unchecked.
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

// Throws Error{kFormat} naming `path` and the byte for text that is not JSON, not UTF-8 or not of this form, and for
// duplicates.
[[nodiscard]] TensorHeader parse_tensor_header(std::string_view text, const std::string& path);

}  // namespace unroll
