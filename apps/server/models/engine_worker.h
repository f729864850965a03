// The thread that owns a language model's network, and writes all texts that are asked of it side by side.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "server/api/completion.h"
#include "server/bounded_queue.h"
#include "unroll/engine.h"

namespace unroll {

class EngineWorker {
 public:
  // `waiting` requests may wait; each has `seconds` from when it came. Throws as Engine does.
  EngineWorker(Model model, const EngineOptions& options, std::size_t waiting, double seconds);

  // Fails what is not answered yet.
  ~EngineWorker();
  EngineWorker(const EngineWorker&) = delete;
  EngineWorker& operator=(const EngineWorker&) = delete;

  // False, and `completion` is left as it is, if too many wait. From any thread, like all that follow.
  [[nodiscard]] bool push(std::unique_ptr<Completion>& completion) { return queue_.push(completion); }
  [[nodiscard]] bool full() const { return queue_.full(); }

  // Takes nothing more, and answers what is there.
  void retire() { queue_.close(); }
  [[nodiscard]] bool finished() const noexcept { return finished_; }

  [[nodiscard]] EngineLoad load() const;
  [[nodiscard]] std::size_t requests_waiting() const { return queue_.size(); }

 private:
  // A text of a completion in the engine.
  struct Place {
    Completion* completion = nullptr;
    std::size_t text = 0;
  };

  void run();
  void begin_anew();
  [[nodiscard]] bool take();
  void start(std::unique_ptr<Completion> completion);
  void drop_ended();
  void step();

  const Model model_;
  const EngineOptions options_;
  Engine engine_;
  const double seconds_;
  BoundedQueue<std::unique_ptr<Completion>> queue_;
  std::vector<std::unique_ptr<Completion>> running_;
  std::unordered_map<std::int64_t, Place> places_;  // by the engine's number
  mutable std::mutex load_mutex_;
  EngineLoad load_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> finished_ = false;
  std::thread thread_;
};

}  // namespace unroll
