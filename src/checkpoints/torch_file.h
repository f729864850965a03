// Reads files that torch.save() wrote: four pickles and storages (PyTorch 0.2 to 1.5), or a zip archive (1.6 to now).
//
//   legacy   pickles of a magic number, of the protocol 1001, of the writer's system, of the object, and of the list of
//            keys of its storages; then for each key the count of its numbers (8 bytes) and the numbers
//   zip      NAME/data.pkl, a pickle of the object; NAME/data/KEY, the numbers of each storage; NAME/byteorder
//
// Source: torch/serialization.py of PyTorch 0.4 to 2.5.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoints/foreign_file.h"
#include "checkpoints/zip_archive.h"

namespace unroll {

// The type of the numbers of a storage's class: "torch.FloatStorage"; nothing for another name.
[[nodiscard]] std::optional<ElementType> torch_storage_type(std::string_view name);

// Whether bytes begin as a legacy file does.
[[nodiscard]] bool is_legacy_torch(std::string_view bytes) noexcept;

// Whether an archive is one of torch.save().
[[nodiscard]] bool is_torch_archive(const std::vector<ZipMember>& members);

// Fill `checkpoint`, whose path is set, from bytes that its graph keeps. Throw Error{kFormat} for what is damaged or
// contradicts itself: a storage that is missing, that is given twice, with two types or with another count of numbers.
void read_legacy_torch(std::string_view bytes, ForeignFile& checkpoint);
void read_torch_archive(const std::vector<ZipMember>& members, ForeignFile& checkpoint);

}  // namespace unroll
