// Reading and writing safetensors files: named tensors and string metadata, with a checksum over everything.
//
//   file   = length header data          length: 8 bytes, little-endian, bytes of header (at most 100 MB)
//   header = JSON object {name: {"dtype": "F32", "shape": [...], "data_offsets": [first, last]}, ...,
//            "__metadata__": {string: string}}, padded with spaces to a multiple of 8
//   data   = tensors in the order of their offsets, C order, little-endian, no holes
//
// Metadata "checksum" holds XXH64 (seed 0, 16 lower-case hexadecimal digits) of the header with that field's digits set
// to '0', followed by the data. The format is Hugging Face's; docs/format.md says what unroll puts into it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// A tensor to be written: float32, `values.size()` the product of `shape`.
struct TensorToWrite {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};

// Replaces `path` as a whole (base/file.h). Tensors are laid out in the order given; metadata in the order of keys; so
// equal content gives equal bytes. Adds "checksum" to the metadata; the caller gives "format". Requires distinct names,
// values.size() equal to the product of the shape, and UTF-8. Throws Error{kFile}, also for a header above 100 MB.
void write_tensor_file(const std::string& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);

// A tensor of a file that was read.
struct StoredTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t offset = 0;  // bytes from the start of the data
  std::int64_t size = 0;    // numbers
};

// A file's content, checked: header, dtypes (F32 only), shapes, offsets without overlap or hole, UTF-8, checksum.
class TensorFile {
 public:
  // `format` is what metadata "format" must say, as "unroll/1". Throws Error{kFile} when the file cannot be read,
  // Error{kMemory} when it does not fit into memory, and Error{kFormat} naming file and place: "'x.safetensors' is cut
  // short: ...", "... was changed after it was written: its checksum is ...", "... was written by a newer version of
  // unroll (format unroll/2, this one reads unroll/1)", "... has no checksum".
  TensorFile(const std::string& path, std::string_view format);

  [[nodiscard]] const std::vector<StoredTensor>& tensors() const noexcept { return tensors_; }
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  // Copies the tensor `name` into `out`. Throws Error{kFormat} when it is missing, when its shape is not `shape`
  // (naming both), and when one of its numbers is NaN or infinite. Requires out.size() to be the product of `shape`.
  void copy(const std::string& name, const std::vector<std::int64_t>& shape, std::span<float> out) const;

  // Metadata under `key`. Throws Error{kFormat} when it is missing.
  [[nodiscard]] const std::string& required(const std::string& key) const;

  // The tensor `name`; null when there is none.
  [[nodiscard]] const StoredTensor* find(std::string_view name) const noexcept;

  // Throws Error{kFormat} when the tensor is missing or its shape is not `shape`.
  const StoredTensor& checked(const std::string& name, const std::vector<std::int64_t>& shape) const;

 private:
  std::string path_;
  std::string bytes_;
  std::size_t data_start_ = 0;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace unroll
