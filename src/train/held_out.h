// The part of labelled data that a run validates on, where it has no file of its own.
#pragma once

#include <cstdint>

#include "data/hold_out.h"
#include "unroll/train.h"

namespace unroll {

// The fold that was asked for, or a share, drawn by the seed: of LabelledTexts or of DenseData.
template <class Data>
TextSplit held_out(const TrainOptions& options, const Data& data) {
  const std::uint64_t seed = options.run.seed;
  if (options.task.folds > 0) return split_fold(data, options.task.fold - 1, options.task.folds, seed);
  return hold_out(data, options.text.valid_split, seed);
}

}  // namespace unroll
