// Reads files of NumPy: arrays with names (.npz), stored as numpy.savez() does.
#pragma once

#include <vector>

#include "checkpoints/foreign_file.h"
#include "checkpoints/zip_archive.h"

namespace unroll {

// Whether an archive is one of arrays.
[[nodiscard]] bool is_npz(const std::vector<ZipMember>& members);

// Fills `file`, whose path is set, with a dict of tensors, whose bytes its graph keeps. Throws Error{kFormat} for
// members that are no arrays, arrays of Python objects, which would be pickles, or of other types than numbers, and
// those whose shape does not fit their bytes.
void read_npz(const std::vector<ZipMember>& members, ForeignFile& file);

}  // namespace unroll
