// Reads folders of ml5.js's charRNN: manifest.json, a file of float32 for each tensor, vocab.json.
//
// Source: training-charRNN of ml5js (the converter of checkpoints), src/CharRNN of ml5-library.
#pragma once

#include <string>

#include "checkpoints/foreign_file.h"

namespace unroll {

// Whether `path` is a folder with a manifest.json.
[[nodiscard]] bool is_ml5_folder(const std::string& path);

// Fills `file`, whose path is the folder's, with a dict of the tensors, by their names in the manifest, and
// "vocab.json", what that holds. Throws Error{kFile} for files that are missing, and Error{kFormat} for JSON of another
// form or with a key twice, names of files that are not in the folder, and sizes that do not fit shapes.
void read_ml5_folder(ForeignFile& file);

}  // namespace unroll
