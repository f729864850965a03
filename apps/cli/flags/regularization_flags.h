// The flags of what training does to a network so that it learns less by heart: train and gradcheck take the same.
#pragma once

#include "cli/flags/flags.h"
#include "unroll/regularization.h"

namespace unroll {

// Declares them. --dropout stands for three of them, each of which may be given another value beside it.
void add_regularization_flags(Flags* flags, Regularization* regularization);

}  // namespace unroll
