// Reads safetensors files of any program (model/tensor_file.h reads those that unroll writes).
//
// Source: the format's description, huggingface/safetensors, README.md.
#pragma once

#include <string_view>

#include "checkpoints/foreign_file.h"

namespace unroll {

// Whether bytes begin as such a file does.
[[nodiscard]] bool is_safetensors(std::string_view bytes) noexcept;

// Fills `checkpoint` with a dict of tensors and, under "__metadata__", a dict of strings. Throws Error{kFormat} for a
// header that is cut short or damaged, types that are not known, tensors that overlap, leave gaps, or end elsewhere
// than the file does.
void read_safetensors(std::string_view bytes, ForeignFile& checkpoint);

}  // namespace unroll
