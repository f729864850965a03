// The labelled texts of a run: read, split, encoded.
#pragma once

#include "train/training_text.h"
#include "unroll/train.h"

namespace unroll {

// Reads options.text.paths as the task's files have them, and the texts to validate on: those of options.text.valid,
// or a part that is held out, stratified by label and drawn by the seed. Vocabulary, labels and characters are those of
// the training part. Throws Error{kFile}, Error{kInput}, and Error{kUsage} for options that do not go with the task.
[[nodiscard]] TrainingText read_task_text(const TrainOptions& options);

}  // namespace unroll
