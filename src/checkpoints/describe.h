// Shows people what a file holds.
#pragma once

#include <string>

#include "checkpoints/foreign_file.h"

namespace unroll {

// A line for each value, its path and what it is: tensors with shape, type and device, objects with the name of their
// class. Lists and dicts of plain values are shown on one line, cut short; what is empty is left out. The source texts
// of classes follow. Characters that a terminal would obey are escaped. Throws as walk().
[[nodiscard]] std::string describe(const ForeignFile& checkpoint);

}  // namespace unroll
