#include "train/training_windows.h"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

#include "base/philox.h"
#include "dist/shares.h"
#include "label/conditional_windows.h"
#include "label/text_windows.h"

namespace unroll {
namespace {

// With carried state only the first step of each epoch would see the zero state, and a run shorter than an epoch would
// never learn to start from it. So each row also starts from zero at every 64th window, rows taking turns.
void start_some_rows_afresh(std::int64_t index, Window& window) {
  constexpr std::int64_t kWindows = 64;
  for (std::int64_t b = 0; b < window.B; ++b) {
    const std::int64_t row = window.part.first_row + b;
    if ((index + row * kWindows / window.part.rows) % kWindows != 0) continue;
    window.reset.resize(static_cast<std::size_t>(window.T * window.B));
    window.reset[static_cast<std::size_t>(b)] = 1;
  }
}

}  // namespace

TrainingWindows::TrainingWindows(const RunPlan& plan, const TrainingText& text) : plan_(plan), text_(text) {
  if (text.task) return;
  batcher_.emplace(text.train.view(), plan.reading, equal_pieces(std::ssize(text.train), plan.batch_size), plan.bptt);
  cuts_ = {.T = plan.bptt, .J = plan.bptt_jitter, .length = batcher_->steps(), .seed = plan.seed};
  assert(cuts_.windows() == plan.epoch.windows);
}

void TrainingWindows::take(std::int64_t epoch, std::int64_t index, std::int64_t replica, Window& out) {
  if (batcher_) return take_symbols(epoch, index, replica, out);
  take_texts(epoch, index, replica, out);
}

double TrainingWindows::rate_share(std::int64_t epoch, std::int64_t index) const {
  if (cuts_.J == 0) return 1;
  const std::int64_t steps = cuts_.first(epoch, index + 1) - cuts_.first(epoch, index);
  return static_cast<double>(steps) / static_cast<double>(cuts_.T);
}

void TrainingWindows::take_symbols(std::int64_t epoch, std::int64_t index, std::int64_t replica, Window& out) {
  constexpr std::int64_t kRememberedIds = std::int64_t{1} << 22;
  if (index % std::max<std::int64_t>(1, kRememberedIds / (plan_.batch_size * plan_.bptt)) == 0) text_.train.forget();
  const std::int64_t first = cuts_.first(epoch, index);
  const ShareRange rows = rows_of_replica(plan_.batch_size, plan_.replicas, replica);
  batcher_->window_of(first, cuts_.first(epoch, index + 1) - first, rows.first, rows.last, out);
  if (plan_.reading.state == StatePolicy::kCarry) start_some_rows_afresh(index, out);
}

void TrainingWindows::take_texts(std::int64_t epoch, std::int64_t index, std::int64_t replica, Window& out) {
  if (ordered_epoch_ != epoch) set_order(epoch);
  const auto batch = static_cast<std::size_t>(plan_.batch_size);
  const std::size_t first = static_cast<std::size_t>(index) * batch;
  const std::size_t count = std::min(batch, order_.size() - first);
  const ShareRange part = rows_of_replica(static_cast<std::int64_t>(count), plan_.replicas, replica);
  const std::span<const std::size_t> texts = std::span(order_).subspan(
      first + static_cast<std::size_t>(part.first), static_cast<std::size_t>(part.last - part.first));
  if (texts.empty()) {
    out = {};
    return;
  }
  const TaskText& task = *text_.task;
  if (plan_.config.conditions > 0) {
    make_conditional_window(task.train, texts, out);
  } else {
    make_text_window(plan_.config, task.train, texts, plan_.window.B,
                     {.unknown = text_.tokenizer.unknown(),
                      .rare = task.rare,
                      .seed = plan_.seed,
                      .epoch = static_cast<std::uint32_t>(epoch)},
                     out);
  }
  // Texts are packed by each replica for itself, so that random numbers of its rows are apart from those of others.
  if (plan_.replicas == 1) return;
  out.part = {.first_row = replica * plan_.window.B, .rows = plan_.replicas * plan_.window.B, .first_text = part.first};
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
