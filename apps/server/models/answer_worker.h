// The thread that answers what is asked of a model but texts: scores, labels, tags.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "server/bounded_queue.h"
#include "server/call.h"
#include "unroll/model.h"

namespace unroll {

// Called now and then while an answer is computed: throws where nobody waits for it any more.
using StillWanted = std::function<void()>;

struct AnswerJob {
  std::unique_ptr<Call> call;
  std::function<std::string(const StillWanted&)> answer;  // returns a body; throws Error and ApiError
};

// Does one job after the other.
class AnswerWorker {
 public:
  // `waiting` jobs may wait; each has `seconds` from when its request came.
  AnswerWorker(std::size_t waiting, double seconds);

  // Fails what is not answered yet.
  ~AnswerWorker();
  AnswerWorker(const AnswerWorker&) = delete;
  AnswerWorker& operator=(const AnswerWorker&) = delete;

  // False, and `job` is left as it is, if too many wait. From any thread, like all that follow.
  [[nodiscard]] bool push(AnswerJob& job) { return queue_.push(job); }

  // Takes nothing more, and answers what is there.
  void retire() { queue_.close(); }
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  [[nodiscard]] std::size_t requests_waiting() const { return queue_.size(); }

 private:
  void run();
  void answer(AnswerJob& job);

  const double seconds_;
  BoundedQueue<AnswerJob> queue_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> finished_ = false;
  std::thread thread_;
};

}  // namespace unroll
