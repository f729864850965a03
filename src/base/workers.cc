#include "base/workers.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "unroll/error.h"

namespace unroll {
namespace {

// Sets the thread up for numerical work and puts it back as it was.
class NumericScope {
 public:
  NumericScope() : openmp_threads_(omp_get_max_threads()) {
    omp_set_num_threads(1);
#if defined(__x86_64__)
    control_ = _mm_getcsr();
    _mm_setcsr(control_ | 0x8040U);  // flush to zero, denormals are zero
#endif
  }
  NumericScope(const NumericScope&) = delete;
  NumericScope& operator=(const NumericScope&) = delete;
  ~NumericScope() {
#if defined(__x86_64__)
    _mm_setcsr(control_);
#endif
    omp_set_num_threads(openmp_threads_);
  }

 private:
  int openmp_threads_;
  unsigned control_ = 0;
};

void pause_briefly() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Waits until `value` is no longer `old`: a short spin, because the next piece of work usually follows within
// microseconds, then the operating system's wait.
void wait_while_equal(const std::atomic<std::uint64_t>& value, std::uint64_t old) noexcept {
  for (int spin = 0; spin < 4000; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause_briefly();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

struct Workers::Team {
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> generation{0};  // one more for each run(); also to stop
  std::atomic<std::uint64_t> finished{0};    // helpers that ended the present run
  std::atomic<std::int64_t> next_task{0};
  std::int64_t tasks = 0;
  const std::function<void(std::int64_t)>* task = nullptr;
  bool stopping = false;
  std::mutex failure_mutex;
  std::exception_ptr failure;

  void take_tasks() {
    for (std::int64_t i = next_task.fetch_add(1); i < tasks; i = next_task.fetch_add(1)) {
      try {
        (*task)(i);
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  }

  void help() {
    const NumericScope scope;
    std::uint64_t seen = 0;
    while (true) {
      wait_while_equal(generation, seen);
      ++seen;
      if (stopping) return;
      take_tasks();
      finished.fetch_add(1, std::memory_order_acq_rel);
      finished.notify_one();
    }
  }
};

Workers::Workers(int count) : team_(std::make_unique<Team>()) {
  constexpr int kMost = 1024;
  if (count < 0 || count > kMost) {
    throw Error(ErrorCode::kUsage, fmt::format("number of threads is {}: expected 0 (all cores) to {}", count, kMost));
  }
  if (count == 0) count = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMost);
  for (int i = 1; i < count; ++i) team_->threads.emplace_back([team = team_.get()] { team->help(); });
}

Workers::~Workers() {
  team_->stopping = true;
  team_->generation.fetch_add(1, std::memory_order_acq_rel);
  team_->generation.notify_all();
  for (std::thread& thread : team_->threads) thread.join();
}

int Workers::count() const noexcept { return static_cast<int>(team_->threads.size()) + 1; }

void Workers::run(std::int64_t tasks, const std::function<void(std::int64_t)>& task) {
  if (tasks <= 0) return;
  const NumericScope scope;
  team_->tasks = tasks;
  team_->task = &task;
  team_->next_task.store(0);
  const bool alone = tasks == 1 || team_->threads.empty();
  if (!alone) {
    team_->finished.store(0);
    team_->generation.fetch_add(1, std::memory_order_acq_rel);
    team_->generation.notify_all();
  }
  team_->take_tasks();
  if (!alone) {
    const std::uint64_t helpers = team_->threads.size();
    for (std::uint64_t done = team_->finished.load(); done != helpers; done = team_->finished.load()) {
      wait_while_equal(team_->finished, done);
    }
  }
  if (team_->failure) std::rethrow_exception(std::exchange(team_->failure, nullptr));
}

void Workers::run_ranges(std::int64_t size, std::int64_t grain,
                         const std::function<void(std::int64_t, std::int64_t)>& task) {
  run((size + grain - 1) / grain, [&](std::int64_t i) { task(i * grain, std::min(size, (i + 1) * grain)); });
}

void Workers::run_shards(std::int64_t size, const std::function<void(std::int64_t, std::int64_t)>& task) {
  const std::int64_t shards = std::min<std::int64_t>(size, count());
  run(shards, [&](std::int64_t i) { task(i * size / shards, (i + 1) * size / shards); });
}

}  // namespace unroll
