// Reads a file of another program, whatever its format.
#pragma once

#include <string>

#include "checkpoints/foreign_file.h"

namespace unroll {

// Reads the file or folder, whose format is known by its content. Throws Error{kFile} where it cannot be read, and
// Error{kFormat} naming the path for what is damaged, of no known format, or beyond the limits of a graph, which walk()
// on the values then does not meet.
[[nodiscard]] ForeignFile read_checkpoint(const std::string& path);

}  // namespace unroll
