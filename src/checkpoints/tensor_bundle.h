// Reads files of TensorFlow's Saver, version 2: PREFIX.index, a sorted table of names, and PREFIX.data-00000-of-00001,
// the numbers.
//
// Source: tensorflow/core/util/tensor_bundle and tensorflow/core/protobuf/tensor_bundle.proto (TensorFlow);
// doc/table_format.md (LevelDB); Protocol Buffers' description of its encoding; RFC 3720, appendix B.4 (CRC-32C).
#pragma once

#include <string>

#include "checkpoints/foreign_file.h"

namespace unroll {

// Whether bytes end as a table does.
[[nodiscard]] bool is_bundle_index(std::string_view bytes) noexcept;

// Fills `file`, whose path is PREFIX.index, with a dict of the tensors of numbers, from the index's bytes. Throws
// Error{kFile} where the numbers' file is missing, and Error{kFormat} for what is damaged (blocks and tensors have
// checksums), compressed, in several shards or slices, big-endian, or outside of its file.
void read_bundle(std::string_view index, ForeignFile& file);

}  // namespace unroll
