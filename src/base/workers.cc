#include "base/workers.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/usable_cores.h"
#include "unroll/error.h"

namespace unroll {
namespace {

// Flushes subnormal numbers of this thread to zero, and restores its mode.
class NumericScope {
 public:
#if defined(__x86_64__)
  NumericScope() : control_(_mm_getcsr()) {
    _mm_setcsr(control_ | 0x8040U);  // flush to zero, denormals are zero
  }
#else
  NumericScope() = default;
#endif
  NumericScope(const NumericScope&) = delete;
  NumericScope& operator=(const NumericScope&) = delete;
  ~NumericScope() {
#if defined(__x86_64__)
    _mm_setcsr(control_);
#endif
  }

 private:
  unsigned control_ = 0;
};

void pause_briefly() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Waits until `value` is no longer `old`: spins briefly, because the next piece of work usually follows within
// microseconds, then lets the operating system wait.
void wait_while_equal(const std::atomic<std::uint64_t>& value, std::uint64_t old) noexcept {
  for (int spin = 0; spin < 4000; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause_briefly();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

// The state of one run after another. A helper that wakes late must not touch a run that it was not woken for, so the
// next task and the run that it belongs to change together, in one word.
struct Workers::Team {
  static constexpr std::uint64_t kTaskBits = 32;
  static constexpr std::uint64_t kClosed = (std::uint64_t{1} << kTaskBits) - 1;  // no task left to take

  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> next{kClosed};  // number of the run, then of its next task
  std::atomic<std::uint64_t> tasks{0};       // of the present run
  std::atomic<std::uint64_t> done{0};        // tasks of it that have ended
  std::atomic<std::uint64_t> generation{0};  // incremented by each run, and to stop: helpers wait for it
  std::atomic<bool> stopping{false};
  const std::function<void(std::int64_t)>* task = nullptr;
  std::mutex failure_mutex;
  std::exception_ptr failure;

  // The next task of the present run, or kClosed.
  std::uint64_t claim() {
    std::uint64_t word = next.load(std::memory_order_acquire);
    while (true) {
      const std::uint64_t candidate = word & kClosed;
      if (candidate >= tasks.load(std::memory_order_acquire)) return kClosed;
      if (next.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel)) return candidate;
    }
  }

  // The run cannot end, nor `task` change, before every claimed task has been counted as done.
  void take_tasks() {
    for (std::uint64_t i = claim(); i != kClosed; i = claim()) {
      try {
        (*task)(static_cast<std::int64_t>(i));
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        if (!failure) failure = std::current_exception();
      }
      done.fetch_add(1, std::memory_order_acq_rel);
      done.notify_one();
    }
  }

  void help() {
    const NumericScope scope;
    std::uint64_t seen = 0;
    while (!stopping.load(std::memory_order_acquire)) {
      wait_while_equal(generation, seen);
      seen = generation.load(std::memory_order_acquire);
      take_tasks();
    }
  }

  void wake() {
    generation.fetch_add(1, std::memory_order_acq_rel);
    generation.notify_all();
  }

  void stop() {
    stopping.store(true, std::memory_order_release);
    wake();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }
};

Workers::Workers(int count) : team_(std::make_unique<Team>()) {
  constexpr int kMost = 1024;
  if (count < 0 || count > kMost) {
    throw Error(ErrorCode::kUsage,
                fmt::format("number of threads is {}: expected 0 (all usable cores) to {}", count, kMost));
  }
  if (count == 0) count = std::min(usable_cores(), kMost);
  try {
    for (int i = 1; i < count; ++i) team_->threads.emplace_back([team = team_.get()] { team->help(); });
  } catch (const std::system_error& error) {
    const std::size_t started = team_->threads.size() + 1;
    team_->stop();
    throw Error(ErrorCode::kMemory, fmt::format("cannot start thread {} of {}: {}; ask for fewer threads", started + 1,
                                                count, error.code().message()));
  }
}

Workers::~Workers() { team_->stop(); }

int Workers::count() const noexcept { return static_cast<int>(team_->threads.size()) + 1; }

void Workers::run(std::int64_t tasks, const std::function<void(std::int64_t)>& task) {
  if (tasks <= 0) return;
  const NumericScope scope;
  const auto count = static_cast<std::uint64_t>(tasks);
  const std::uint64_t run = (team_->next.load(std::memory_order_relaxed) >> Team::kTaskBits) + 1;
  team_->task = &task;
  team_->done.store(0, std::memory_order_relaxed);
  team_->tasks.store(count, std::memory_order_release);
  team_->next.store(run << Team::kTaskBits, std::memory_order_release);
  if (tasks > 1 && !team_->threads.empty()) team_->wake();
  team_->take_tasks();
  // Waits for tasks that others have claimed, not for helpers that have yet to wake up, which may take long on a busy
  // machine.
  for (std::uint64_t done = team_->done.load(std::memory_order_acquire); done != count;
       done = team_->done.load(std::memory_order_acquire)) {
    wait_while_equal(team_->done, done);
  }
  team_->next.store(run << Team::kTaskBits | Team::kClosed, std::memory_order_release);
  if (team_->failure) std::rethrow_exception(std::exchange(team_->failure, nullptr));
}

void Workers::run_ranges(std::int64_t size, std::int64_t grain,
                         const std::function<void(std::int64_t, std::int64_t)>& task) {
  run((size + grain - 1) / grain, [&](std::int64_t i) { task(i * grain, std::min(size, (i + 1) * grain)); });
}

void Workers::run_balanced(std::int64_t size, std::int64_t typical, std::int64_t unit,
                           const std::function<void(std::int64_t, std::int64_t)>& task) {
  const std::int64_t turns = std::max<std::int64_t>(1, size / (count() * typical));
  const std::int64_t ranges = turns * count();
  const std::int64_t grain = std::max<std::int64_t>(1, (size + ranges - 1) / ranges);
  run_ranges(size, (grain + unit - 1) / unit * unit, task);
}

void Workers::run_shards(std::int64_t size, const std::function<void(std::int64_t, std::int64_t)>& task) {
  const std::int64_t shards = std::min<std::int64_t>(size, count());
  run(shards, [&](std::int64_t i) { task(i * size / shards, (i + 1) * size / shards); });
}

}  // namespace unroll
