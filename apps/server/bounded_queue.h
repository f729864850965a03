// A queue between threads that refuses what it has no room for.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace unroll {

// Safe for any number of threads.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t most) : most_(most) {}

  // False, and `item` is left as it is, if the queue is full or closed.
  [[nodiscard]] bool push(T& item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= most_) return false;
      items_.push_back(std::move(item));
    }
    changed_.notify_one();
    return true;
  }

  // The oldest item; waits for one. None once the queue is closed and empty.
  [[nodiscard]] std::optional<T> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !items_.empty(); });
    return take();
  }

  // The oldest item, if there is one.
  [[nodiscard]] std::optional<T> poll() {
    const std::lock_guard lock(mutex_);
    return take();
  }

  // From now on nothing is accepted; what is there can still be taken.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

  [[nodiscard]] bool full() const {
    const std::lock_guard lock(mutex_);
    return closed_ || items_.size() >= most_;
  }

 private:
  std::optional<T> take() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace unroll
