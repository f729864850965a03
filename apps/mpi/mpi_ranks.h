// Ranks that are the processes of an MPI program.
#pragma once

#include <mpi.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "unroll/ranks.h"

namespace unroll {

// The processes of MPI_COMM_WORLD. Uses messages between two processes alone: no reduction, whose order of sums MPI
// leaves open. One at a time in a process.
class MpiRanks final : public Ranks {
 public:
  // Initialises MPI, and learns the names of all hosts. A wait of more than `timeout` seconds in which nothing arrives
  // is an error. Throws Error{kPeer}.
  explicit MpiRanks(double timeout);
  // Finalises MPI, unless a wait failed: then others may never come to that.
  ~MpiRanks() override;

  [[nodiscard]] int rank() const noexcept override { return rank_; }
  [[nodiscard]] int size() const noexcept override { return size_; }
  [[nodiscard]] std::string host(int rank) const override { return hosts_[static_cast<std::size_t>(rank)]; }
  void progress() override;
  void wait() override;

  // Ends the processes of all ranks with this status, without waiting for any of them. Does not return.
  [[noreturn]] static void end_all(int status);

 private:
  // What has been started.
  struct Pending {
    int peer = 0;
    bool sends = false;
    int bytes = 0;
  };

  void start_send(int to, std::span<const std::byte> bytes) override;
  void start_receive(int from, std::span<std::byte> bytes) override;
  void gather_hosts();
  // Whether something was completed. Throws Error{kPeer} where MPI reports a failure.
  bool complete_some();
  void check_completed(int count, int error);
  [[noreturn]] void fail(const std::string& why);
  // "rank 2 on node7", of those that a wait is for.
  [[nodiscard]] std::string awaited() const;

  double timeout_;
  int rank_ = 0;
  int size_ = 1;
  bool failed_ = false;
  std::vector<std::string> hosts_;
  std::vector<MPI_Request> requests_;
  std::vector<Pending> pending_;  // of each request
  std::vector<int> completed_;    // scratch
  std::vector<MPI_Status> statuses_;
};

}  // namespace unroll
