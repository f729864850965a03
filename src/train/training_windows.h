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

  // Sets `out` to the part of a replica in window `index` of `epoch`; out.part.share is not set. No symbol of another
  // replica is read. A replica may have no text in a window of few: then B is 0.
  void take(std::int64_t epoch, std::int64_t index, std::int64_t replica, Window& out);

  // What the learning rate of that window's step is multiplied by.
  [[nodiscard]] double rate_share(std::int64_t epoch, std::int64_t index) const;

 private:
  void take_symbols(std::int64_t epoch, std::int64_t index, std::int64_t replica, Window& out);
  void take_texts(std::int64_t epoch, std::int64_t index, std::int64_t replica, Window& out);
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
