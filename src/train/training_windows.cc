#include "train/training_windows.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

#include "base/philox.h"
#include "label/conditional_windows.h"
#include "label/text_windows.h"

namespace unroll {
namespace {

// With carried state only the first step of each epoch would see the zero state, and a run shorter than an epoch would
// never learn to start from it. So each row also starts from zero at every 64th window, rows taking turns.
void start_some_rows_afresh(std::int64_t index, Window& window) {
  constexpr std::int64_t kWindows = 64;
  for (std::int64_t b = 0; b < window.B; ++b) {
    if ((index + b * kWindows / window.B) % kWindows != 0) continue;
    window.reset.resize(static_cast<std::size_t>(window.T * window.B));
    window.reset[static_cast<std::size_t>(b)] = 1;
  }
}

}  // namespace

TrainingWindows::TrainingWindows(const RunPlan& plan, const TrainingText& text) : plan_(plan), text_(text) {
  if (text.task) return;
  batcher_.emplace(text.train, plan.reading, equal_pieces(std::ssize(text.train), plan.batch_size), plan.bptt);
  cuts_ = {.T = plan.bptt, .J = plan.bptt_jitter, .length = batcher_->steps(), .seed = plan.seed};
  assert(cuts_.windows() == plan.epoch.windows);
}

double TrainingWindows::take(std::int64_t epoch, std::int64_t index, Window& out) {
  if (batcher_) return take_symbols(epoch, index, out);
  take_texts(epoch, index, out);
  return 1;
}

double TrainingWindows::take_symbols(std::int64_t epoch, std::int64_t index, Window& out) {
  const std::int64_t first = cuts_.first(epoch, index);
  batcher_->window_of(first, cuts_.first(epoch, index + 1) - first, out);
  if (plan_.reading.state == StatePolicy::kCarry) start_some_rows_afresh(index, out);
  return cuts_.J > 0 ? static_cast<double>(out.T) / static_cast<double>(cuts_.T) : 1;
}

void TrainingWindows::take_texts(std::int64_t epoch, std::int64_t index, Window& out) {
  if (ordered_epoch_ != epoch) set_order(epoch);
  const auto batch = static_cast<std::size_t>(plan_.batch_size);
  const std::size_t first = static_cast<std::size_t>(index) * batch;
  const std::span<const std::size_t> texts = std::span(order_).subspan(first, std::min(batch, order_.size() - first));
  const TaskText& task = *text_.task;
  if (plan_.config.conditions > 0) return make_conditional_window(task.train, texts, out);
  make_text_window(plan_.config, task.train, texts, plan_.window.B,
                   {.unknown = text_.tokenizer.unknown(),
                    .rare = task.rare,
                    .seed = plan_.seed,
                    .epoch = static_cast<std::uint32_t>(epoch)},
                   out);
}

void TrainingWindows::set_order(std::int64_t epoch) {
  std::vector<std::pair<std::uint64_t, std::size_t>> keys(text_.task->train.count());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto words = random_words(plan_.seed, static_cast<std::uint32_t>(epoch), RandomPurpose::kTextOrder, 0,
                                    static_cast<std::uint32_t>(i), 0);
    keys[i] = {static_cast<std::uint64_t>(words[0]) << 32 | words[1], i};
  }
  std::ranges::sort(keys);
  order_.clear();
  for (const auto& [key, text] : keys) order_.push_back(text);
  ordered_epoch_ = epoch;
}

}  // namespace unroll
