// Whether all ranks of a run are about to do the same.
#pragma once

#include "train/resuming.h"
#include "train/run_plan.h"
#include "unroll/ranks.h"

namespace unroll {

// Throws Error{kUsage} on all ranks where their processors round sums in another order: together they would not give
// the bits of one. Every rank has to call it.
void expect_same_processors(Ranks& ranks);

// Throws Error{kUsage} on all ranks, naming the first rank whose options are not those of rank 0, and in what; those
// that may differ are threads alone. Every rank has to call it.
void expect_same_options(Ranks& ranks, const TrainOptions& options);

// The same of what follows from the files that each has read: the text, its vocabulary, the run that is resumed.
void expect_same_everywhere(Ranks& ranks, const RunPlan& plan, const EarlierRun& earlier);

}  // namespace unroll
