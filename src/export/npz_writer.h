// Writes arrays of NumPy: a zip archive of NAME.npy, version 1.0, and unroll.npy, the bytes (uint8) of a text.
//
// Source: numpy/lib/format.py.
#pragma once

#include <string>
#include <vector>

#include "export/exported_tensors.h"

namespace unroll {

// Replaces the file. Throws Error{kFile}.
void write_npz(const std::string& path, const std::vector<ExportedTensor>& tensors, const std::string& description);

}  // namespace unroll
