// The files of a run: none that it reads, and none of somebody else, is one that it writes.
#pragma once

#include "unroll/train.h"

namespace unroll {

// Throws Error{kUsage} if a file that the run reads is one that it replaces, and Error{kFile} if one of the latter
// cannot be written.
void expect_files_apart(const TrainOptions& options);

// Throws Error{kUsage} if files.overwrite would replace a file that has the name of a resume file and is not one.
void expect_own_checkpoint(const FileOptions& files);

}  // namespace unroll
