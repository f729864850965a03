// Reads a file of another program, whatever its format.
#pragma once

#include <string>

#include "checkpoints/foreign_file.h"

namespace unroll {

// Reads the file or folder, whose format is known by its content. Throws Error{kFile} where it cannot be read, and
// Error{kFormat} naming the path for what is damaged or of no known format.
[[nodiscard]] ForeignFile read_checkpoint(const std::string& path);

}  // namespace unroll
