// Resuming: what an earlier call left at the path of the model, and whether this run may continue it.
#pragma once

#include <optional>

#include "train/checkpoint.h"
#include "train/run_plan.h"
#include "unroll/model.h"
#include "unroll/train.h"

namespace unroll {

// At most one of the two.
struct EarlierRun {
  std::optional<Checkpoint> checkpoint;  // of a run that did not end
  std::optional<Model> finished;         // of one that did

  // The options that it recorded; null where there was no earlier run.
  [[nodiscard]] const NamedValues* options() const noexcept;
  // Its tokenizer. Requires one of the two.
  [[nodiscard]] const Tokenizer& tokenizer() const;
};

// What stands at files.save: nothing where it may be overwritten. Throws Error{kUsage} where something stands there
// that was asked neither to be resumed nor to be overwritten, or that cannot be resumed; Error{kFile} and
// Error{kFormat} where it cannot be read.
[[nodiscard]] EarlierRun find_earlier_run(const FileOptions& files);

// Throws Error{kUsage} naming the first of these in which the plan differs from the earlier run: the model to start
// from, an option, a symbol of the vocabulary, the text as ids, the length; Error{kFormat} where the position of the
// earlier run contradicts the plan.
//
// Two things are notes: that the run began on another instruction set, where the bits of neither can be had; and that a
// finished run, whose length in minutes no file holds, is not made longer by minutes.
void expect_same_run(const RunPlan& plan, const Tokenizer& tokenizer, const EarlierRun& earlier,
                     const TrainObserver& observer);

// The result of a run that an earlier call finished, as its model tells it.
[[nodiscard]] TrainResult result_of_finished(const Model& model);

// The result of a run at `position`.
[[nodiscard]] TrainResult result_at(const TrainPosition& position, const TrainingRecord& record);

}  // namespace unroll
