// The labelled texts of a run: read, split, encoded.
#pragma once

#include <string_view>

#include "train/training_text.h"
#include "unroll/model.h"
#include "unroll/train.h"

namespace unroll {

// Reads options.text.paths as the task's files have them, and the texts to validate on: those of options.text.valid,
// or a part that is held out, stratified by label and drawn by the seed. Vocabulary, labels and characters are those of
// the training part; vocabulary and characters those of `init`, where the network starts from a model. Throws
// Error{kFile}, Error{kInput}, and Error{kUsage} for options that do not go with the task.
[[nodiscard]] TrainingText read_task_text(const TrainOptions& options, const Model* init);

// The texts of a language model that comes before the task (transfer.unlabelled): those without labels, in pieces of
// kUnlabelledSteps, and those to train on; validated on those of the task. The vocabulary is that of all texts to train
// on, of symbols that occur twice at least.
[[nodiscard]] TrainingText read_unlabelled_text(const TrainOptions& options);

inline constexpr std::int64_t kUnlabelledSteps = 50;

}  // namespace unroll
