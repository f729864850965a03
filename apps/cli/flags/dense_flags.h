// The flags that say how sequences of numbers stand in files, the same for every verb that reads some.
#pragma once

#include "cli/flags/flags.h"
#include "unroll/data/dense.h"

namespace unroll {

// Those of inputs and of targets.
void declare_dense_flags(Flags* flags, DenseOptions* options);

}  // namespace unroll
