// The windows of a run: of one long text, or of whole texts in another order in each epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "text/batcher.h"
#include "text/window.h"
#include "train/run_plan.h"
#include "train/training_text.h"
#include "train/window_cuts.h"

namespace unroll {

// Any window of any epoch, a function of the plan's seed, the epoch and its place there. One thread at a time.
class TrainingWindows {
 public:
  // Both must outlive it.
  TrainingWindows(const RunPlan& plan, const TrainingText& text);

  // Sets `out` to window `index` of `epoch`. Returns what the learning rate of its step is multiplied by.
  double take(std::int64_t epoch, std::int64_t index, Window& out);

 private:
  double take_symbols(std::int64_t epoch, std::int64_t index, Window& out);
  void take_texts(std::int64_t epoch, std::int64_t index, Window& out);
  void set_order(std::int64_t epoch);

  const RunPlan& plan_;
  const TrainingText& text_;
  // Of one long text.
  std::optional<Batcher> batcher_;
  WindowCuts cuts_;
  // Of whole texts: their order in an epoch.
  std::int64_t ordered_epoch_ = -1;
  std::vector<std::size_t> order_;
};

}  // namespace unroll
