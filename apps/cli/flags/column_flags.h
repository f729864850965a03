// The flags that say how words and tags stand in files, the same for every verb that reads some.
#pragma once

#include "cli/flags/flags.h"
#include "unroll/data/columns.h"

namespace unroll {

// Declares them under a heading of their own: --format, --word-column, --column. They set `options`, which must
// live until flags->parse() has returned.
void declare_column_flags(Flags* flags, ColumnOptions* options);

}  // namespace unroll
