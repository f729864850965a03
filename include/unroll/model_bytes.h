// A model out of memory instead of a file, such as one that is built into a program.
#pragma once

#include <string>
#include <string_view>

#include "unroll/model.h"

namespace unroll {

// Reads the bytes of a model file, which are copied, as Model::load() reads the file. Errors call it `name`.
[[nodiscard]] Model read_model(std::string_view bytes, const std::string& name);

}  // namespace unroll
