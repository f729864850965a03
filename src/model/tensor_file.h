// Reads and writes safetensors files: named tensors and string metadata, with a checksum over everything.
//
//   file   = length header data          length: 8 bytes, little-endian, bytes of header (at most 100 MB)
//   header = JSON object {name: {"dtype": "F32" or "BF16" or "I8", "shape": [...], "data_offsets": [first, last]}, ...,
//            "__metadata__": {string: string}}, padded with spaces to a multiple of 8
//   data   = tensors in the order of their offsets, C order, little-endian, no holes
//
// Metadata "checksum" holds XXH64 (seed 0, 16 lower-case hexadecimal digits) of the header with that field's digits set
// to '0', followed by the data. The format is Hugging Face's; docs/format.md says what unroll puts into it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/file.h"
#include "kernels/weights.h"

namespace unroll {

// A tensor to be written: as many values as the product of `shape`.
struct TensorToWrite {
  TensorToWrite(std::string tensor_name, std::vector<std::int64_t> lengths, std::span<const float> values);
  TensorToWrite(std::string tensor_name, std::vector<std::int64_t> lengths, std::span<const Bf16> values);
  TensorToWrite(std::string tensor_name, std::vector<std::int64_t> lengths, std::span<const std::int8_t> values);

  std::string name;
  std::vector<std::int64_t> shape;
  Precision precision;  // of each number
  std::string_view bytes;
};

// The same tensors, wider numbers first, else in their order: as a file has them, each is aligned to its numbers.
[[nodiscard]] std::vector<TensorToWrite> widest_first(std::vector<TensorToWrite> tensors);

// Replaces `path` (replace_file() in base/file.h). Tensors are laid out in the order given, metadata in the order of
// keys, so that equal content gives equal bytes. Adds "checksum" to the metadata; the caller gives "format". Requires
// distinct names, as many values as the shape says, and UTF-8. Throws Error{kFile}, also for a header above 100 MB.
void write_tensor_file(const std::string& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);

// A tensor in a file.
struct StoredTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  Precision precision = Precision::kF32;  // of each number
  std::int64_t offset = 0;                // bytes from the start of the data
  std::int64_t size = 0;                  // numbers
};

// A file's content, mapped and checked: header, dtypes, shapes, offsets without overlap or hole, UTF-8, checksum.
class TensorFile {
 public:
  // `formats` are the accepted values of the metadata "format", as "unroll/1", the newest last. Throws Error{kFile} if
  // the file cannot be read, Error{kMemory} if it does not fit in memory, and Error{kFormat} naming file and place:
  // "'x.safetensors' is cut short: ...", "... was changed after it was written: its checksum is ...", "... was written
  // by a newer version of unroll (format unroll/3, this one reads unroll/2)", "... has no checksum".
  TensorFile(const std::string& path, std::initializer_list<std::string_view> formats);

  // The same of bytes that are there already; errors call them `name`.
  TensorFile(std::string bytes, const std::string& name, std::initializer_list<std::string_view> formats);

  [[nodiscard]] const std::vector<StoredTensor>& tensors() const noexcept { return tensors_; }
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  // Moves the metadata out; metadata() is empty afterwards.
  [[nodiscard]] std::map<std::string, std::string> take_metadata() noexcept { return std::move(metadata_); }

  // The tensor `name`, of float, Bf16 or std::int8_t, in place in the file; valid while this, or what it is moved to,
  // exists. A tensor whose offset is not a multiple of its numbers' size is copied once. Throws Error{kFormat} if it is
  // missing, if its type or shape differs (naming both), and if one of its numbers is NaN, infinite, or -128 (integers
  // range from -127 to 127).
  template <class T>
  std::span<const T> values(const std::string& name, const std::vector<std::int64_t>& shape);

  // Copies a tensor of floats to `out`. Throws as values(). Requires out.size() to be the product of `shape`.
  void copy(const std::string& name, const std::vector<std::int64_t>& shape, std::span<float> out) const;

  // Metadata under `key`. Throws Error{kFormat} if it is missing.
  [[nodiscard]] const std::string& required(const std::string& key) const;

  // The tensor `name`; null if there is none.
  [[nodiscard]] const StoredTensor* find(std::string_view name) const noexcept;

 private:
  // Checks bytes_ and takes the header in.
  void read_header(std::initializer_list<std::string_view> formats);
  [[nodiscard]] const StoredTensor& checked(const std::string& name, Precision precision,
                                            const std::vector<std::int64_t>& shape) const;
  [[nodiscard]] const char* data(const StoredTensor& tensor) const noexcept;

  std::string path_;
  std::optional<MappedFile> mapped_;         // or else
  std::unique_ptr<const std::string> held_;  // the bytes
  std::string_view bytes_;
  std::size_t data_start_ = 0;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
  std::vector<FloatBuffer> aligned_;  // copies of misaligned tensors
};

}  // namespace unroll
