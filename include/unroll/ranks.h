// The processes that train one model together, and how they reach each other.
//
//   train_together(options, observer, ranks);   // the same call in each of them
//
// train_together() computes the same model for any number of ranks: Ranks only carries bytes. one_rank() is a process
// alone; `unroll-mpi` implements Ranks with MPI, and any other transport that delivers messages in order would do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace unroll {

// Rank 0 to size() - 1. Messages from one rank to another arrive in the order in which they were sent, and the n-th
// receive() from a rank takes its n-th message, whose size both know. One thread at a time.
class Ranks {
 public:
  Ranks() = default;
  virtual ~Ranks() = default;
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  [[nodiscard]] virtual int rank() const noexcept = 0;  // of this process
  [[nodiscard]] virtual int size() const noexcept = 0;
  // The name of the machine that a rank runs on.
  [[nodiscard]] virtual std::string host(int rank) const = 0;

  // Starts to send to another rank. The bytes must stay as they are until wait().
  void send(int to, std::span<const std::byte> bytes) {
    sent_ += static_cast<std::int64_t>(bytes.size());
    start_send(to, bytes);
  }
  // Starts to receive from another rank. The bytes are there after wait().
  void receive(int from, std::span<std::byte> bytes) { start_receive(from, bytes); }

  // Moves bytes that have been started, and returns at once.
  virtual void progress() = 0;
  // Returns when everything that was started is complete. Throws Error{kPeer} naming the rank and host that did not
  // answer in time; the run cannot go on then.
  virtual void wait() = 0;

  // Bytes given to send() so far.
  [[nodiscard]] std::int64_t sent_bytes() const noexcept { return sent_; }

 protected:
  virtual void start_send(int to, std::span<const std::byte> bytes) = 0;
  virtual void start_receive(int from, std::span<std::byte> bytes) = 0;

 private:
  std::int64_t sent_ = 0;
};

// A process alone. May be used by any number of threads.
[[nodiscard]] Ranks& one_rank() noexcept;

}  // namespace unroll
