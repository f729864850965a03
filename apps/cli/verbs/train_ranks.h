// `train` by several processes together: the verb, as unroll-mpi runs it in each of them.
#pragma once

#include <string>
#include <vector>

#include "unroll/ranks.h"

namespace unroll {

// Trains on `ranks`, where each may use `cores` cores; returns the status of the program. Rank 0 alone talks.
int run_train_on(const std::vector<std::string>& arguments, Ranks& ranks, int cores);

}  // namespace unroll
