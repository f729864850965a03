// Ranks that are threads of one process, for tests.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "unroll/error.h"
#include "unroll/ranks.h"

namespace unroll {

// Messages on their way, of all ranks.
class Mailbox {
 public:
  void put(int from, int to, std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    messages_[{from, to}].emplace_back(bytes.begin(), bytes.end());
    changed_.notify_all();
  }

  // Throws Error{kPeer} where that rank has given up and sent nothing more, and Error{kUsage} where the sizes differ.
  void take(int from, int to, std::span<std::byte> bytes) {
    std::unique_lock lock(mutex_);
    auto& waiting = messages_[{from, to}];
    changed_.wait(lock, [&] { return !waiting.empty() || gone_.contains(from); });
    if (waiting.empty()) throw Error(ErrorCode::kPeer, "rank " + std::to_string(from) + " does not answer");
    if (waiting.front().size() != bytes.size()) throw Error(ErrorCode::kUsage, "a message of another size");
    std::memcpy(bytes.data(), waiting.front().data(), bytes.size());
    waiting.pop_front();
  }

  void give_up(int rank) {
    const std::lock_guard lock(mutex_);
    gone_.insert(rank);
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<int, int>, std::deque<std::vector<std::byte>>> messages_;
  std::set<int> gone_;
};

class ThreadRanks final : public Ranks {
 public:
  ThreadRanks(Mailbox& mailbox, int rank, int size) : mailbox_(mailbox), rank_(rank), size_(size) {}

  [[nodiscard]] int rank() const noexcept override { return rank_; }
  [[nodiscard]] int size() const noexcept override { return size_; }
  [[nodiscard]] std::string host(int rank) const override { return "thread" + std::to_string(rank); }
  void progress() override {}
  void wait() override {
    for (const auto& [from, bytes] : expected_) mailbox_.take(from, rank_, bytes);
    expected_.clear();
    for (const auto& [to, bytes] : given_) {
      // What is sent must not change before it has been waited for.
      if (!std::ranges::equal(bytes.now, bytes.then))
        throw Error(ErrorCode::kUsage, "bytes changed while they were sent");
    }
    given_.clear();
  }

 private:
  struct Given {
    std::span<const std::byte> now;
    std::vector<std::byte> then;
  };

  void start_send(int to, std::span<const std::byte> bytes) override {
    mailbox_.put(rank_, to, bytes);
    given_.emplace_back(to, Given{bytes, {bytes.begin(), bytes.end()}});
  }
  void start_receive(int from, std::span<std::byte> bytes) override { expected_.emplace_back(from, bytes); }

  Mailbox& mailbox_;
  int rank_;
  int size_;
  std::vector<std::pair<int, std::span<std::byte>>> expected_;
  std::vector<std::pair<int, Given>> given_;
};

// Runs task(ranks) in a thread for each rank, all at once. Returns what each has thrown, by rank; empty: nothing.
inline std::vector<std::string> run_ranks(int size, const std::function<void(Ranks&)>& task) {
  Mailbox mailbox;
  std::vector<std::string> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRanks ranks(mailbox, rank, size);
      try {
        task(ranks);
      } catch (const std::exception& error) {
        errors[static_cast<std::size_t>(rank)] = error.what();
        mailbox.give_up(rank);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return errors;
}

}  // namespace unroll
