// A team of threads that run tasks for the calling thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace unroll {

// A fixed team of workers, one of which is the calling thread.
//
// Work is cut into tasks by its shape, never by the number of workers, wherever the cut could change a sum; so results
// depend neither on the number of workers nor on who takes which task. While a task runs, its thread flushes subnormal
// numbers to zero; afterwards the mode is restored.
class Workers {
 public:
  // 0: one for each core that the process may use (base/usable_cores.h). Throws Error{kUsage} above 1024 or below 0,
  // and Error{kMemory} if the system starts no more threads.
  explicit Workers(int count);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  [[nodiscard]] int count() const noexcept;

  // Runs task(0) .. task(tasks - 1), each once, and returns when all are done. A free worker takes the next task. A
  // task must not call run(). Rethrows the first exception of a task, after all tasks have ended.
  void run(std::int64_t tasks, const std::function<void(std::int64_t task)>& task);

  // Cuts 0 .. size - 1 into contiguous ranges of at most `grain` and runs task(first, last) on each.
  void run_ranges(std::int64_t size, std::int64_t grain,
                  const std::function<void(std::int64_t first, std::int64_t last)>& task);

  // Cuts 0 .. size - 1 into equal ranges of about `typical`, the same number for each worker, each except the last a
  // multiple of `unit`, and runs task(first, last) on each. Only for work whose results do not depend on the cut.
  void run_balanced(std::int64_t size, std::int64_t typical, std::int64_t unit,
                    const std::function<void(std::int64_t first, std::int64_t last)>& task);

  // Cuts 0 .. size - 1 into one contiguous range per worker (fewer if size is smaller) and runs task(first, last) on
  // each. Only for work whose results do not depend on the cut.
  void run_shards(std::int64_t size, const std::function<void(std::int64_t first, std::int64_t last)>& task);

 private:
  struct Team;
  std::unique_ptr<Team> team_;
};

}  // namespace unroll
