// A model out of a file that export_model() wrote.
#pragma once

#include "checkpoints/foreign_file.h"
#include "unroll/model.h"

namespace unroll {

// Whether the file has a description (export/description.h).
[[nodiscard]] bool has_description(const ForeignFile& checkpoint) noexcept;

// The model that was exported, or with other numbers if another program has changed them. Requires a description.
// Throws Error{kFormat} for a description that is damaged, tensors that are missing, unexpected or of other shapes, and
// tied weights that differ; kNumeric for numbers that are not finite.
[[nodiscard]] Model restore_model(const ForeignFile& checkpoint);

}  // namespace unroll
