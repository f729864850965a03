// Reads binary files of Torch 7 (.t7): tables, tensors, objects of classes. Functions are bytes that are skipped.
//
// Source: torch/File.lua and doc/serialization.md of torch/torch7.
#pragma once

#include <string_view>

#include "checkpoints/foreign_file.h"

namespace unroll {

// Whether bytes begin as such a file does.
[[nodiscard]] bool is_torch7(std::string_view bytes) noexcept;

// Fills `file`, whose path is set, from bytes that its graph keeps. A table is a dict, whose whole numbers are
// integers; an object has its class's name, and its table as state. Throws Error{kFormat} for what is damaged, numbers
// outside of their storage, an index under which something else stands, and nesting beyond kDeepestNesting.
void read_torch7(std::string_view bytes, ForeignFile& file);

}  // namespace unroll
