// Reads files that torch.save() wrote before PyTorch 0.1.10: a tar archive of four members.
//
//   sys_info  a pickle of the writer's system
//   storages  a pickle of their number; for each a pickle of (key, device, class), the count of its numbers (8 bytes),
//             the numbers; at the end a pickle of views, which must be none
//   tensors   a pickle of their number; for each a pickle of (key, key of its storage, class), the number of dimensions
//             (8 bytes), lengths, strides, offset (8 bytes each)
//   pickle    the object; tensors by persistent ids that are keys, classes by (class, file, source text)
//
// Source: legacy_load() in torch/serialization.py.
#pragma once

#include <string_view>

#include "checkpoints/foreign_file.h"

namespace unroll {

// Whether bytes begin as a tar archive does.
[[nodiscard]] bool is_tar(std::string_view bytes) noexcept;

// Fills `checkpoint`, whose path is set. Throws Error{kFormat} for what is damaged, missing, or there twice.
void read_torch_tar(std::string_view bytes, ForeignFile& checkpoint);

}  // namespace unroll
