// Writes models with the numbers that they have, in any precision.
#pragma once

#include <string>

#include "model/model_file.h"
#include "unroll/model.h"

namespace unroll {

// Writes the model with another use; everything else is as it was, to the bit. A file at `path` is replaced as a whole.
// Throws Error{kFile}.
void save_stored(const Model::Data& data, const ModelUse& use, const std::string& path);

}  // namespace unroll
