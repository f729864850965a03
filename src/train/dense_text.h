// The sequences of numbers of a run: read, split, scaled.
#pragma once

#include "train/training_text.h"
#include "unroll/train.h"

namespace unroll {

// As read_task_text() (train/task_text.h), where options.task.input is kDense. Scales are those of the training part.
[[nodiscard]] TrainingText read_dense_text(const TrainOptions& options);

}  // namespace unroll
