#include "mpi/mpi_ranks.h"

#include <fmt/format.h>
#include <sched.h>
#include <signal.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <set>
#include <string_view>

#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kLargestMessage = std::size_t{1} << 30;  // MPI counts with int
constexpr std::size_t kHostBytes = 256;

std::string text_of(int error) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(error, text.data(), &length);
  return {text.data(), static_cast<std::size_t>(length)};
}

// What is done between two looks at what has arrived: at first nothing, then others may use the core, and after a while
// it rests.
void pause_after(double idle_seconds) {
  constexpr double kBusy = 100e-6;
  constexpr double kYielding = 5e-3;
  if (idle_seconds < kBusy) return;
  if (idle_seconds < kYielding) {
    sched_yield();
    return;
  }
  const timespec moment{.tv_sec = 0, .tv_nsec = 50'000};
  nanosleep(&moment, nullptr);
}

volatile sig_atomic_t abandoned_status = 0;

void abandon(int) { _exit(abandoned_status); }

// The parent, where it is Open MPI's own; else 0.
pid_t launcher_of(pid_t parent) {
  std::ifstream file(fmt::format("/proc/{}/comm", parent));
  std::string name;
  std::getline(file, name);
  const std::set<std::string_view> names{"mpirun", "mpiexec", "orterun", "orted", "prterun", "prted"};
  return names.contains(name) ? parent : 0;
}

// Where the network is cut, Open MPI's launcher waits for the lost host for ever, deaf to SIGTERM. A process of its own
// ends it, since the launcher ends this one at once. The copy of a process with threads may call little more than this.
void end_launcher_later(pid_t launcher) {
  constexpr unsigned kSeconds = 5;
  if (launcher == 0 || fork() != 0) return;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) close(descriptor);
  setsid();
  sleep(kSeconds);
  kill(launcher, SIGKILL);
  _exit(0);
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

MpiRanks::MpiRanks(double timeout) : timeout_(timeout) {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
  gather_hosts();
}

MpiRanks::~MpiRanks() {
  if (!failed_) MPI_Finalize();
}

void MpiRanks::gather_hosts() {
  std::vector<std::array<char, kHostBytes>> names(static_cast<std::size_t>(size_));
  auto& own = names[static_cast<std::size_t>(rank_)];
  std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
  int length = 0;
  MPI_Get_processor_name(name.data(), &length);
  std::copy_n(name.begin(), std::min(static_cast<std::size_t>(length), kHostBytes - 1), own.begin());
  hosts_.assign(static_cast<std::size_t>(size_), "a host that is not known yet");
  for (int other = 0; other < size_; ++other) {
    if (other == rank_) continue;
    start_send(other, std::as_bytes(std::span(own)));
    start_receive(other, std::as_writable_bytes(std::span(names[static_cast<std::size_t>(other)])));
  }
  wait();
  std::ranges::transform(names, hosts_.begin(), [](const auto& bytes) { return std::string(bytes.data()); });
}

void MpiRanks::start_send(int to, std::span<const std::byte> bytes) {
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), kLargestMessage))) {
    const auto count = static_cast<int>(std::min(bytes.size(), kLargestMessage));
    MPI_Request request = MPI_REQUEST_NULL;
    const int error = MPI_Isend(bytes.data(), count, MPI_BYTE, to, 0, MPI_COMM_WORLD, &request);
    requests_.push_back(request);
    pending_.push_back({.peer = to, .sends = true, .bytes = count});
    if (error != MPI_SUCCESS) fail(text_of(error));
  }
}

void MpiRanks::start_receive(int from, std::span<std::byte> bytes) {
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), kLargestMessage))) {
    const auto count = static_cast<int>(std::min(bytes.size(), kLargestMessage));
    MPI_Request request = MPI_REQUEST_NULL;
    const int error = MPI_Irecv(bytes.data(), count, MPI_BYTE, from, 0, MPI_COMM_WORLD, &request);
    requests_.push_back(request);
    pending_.push_back({.peer = from, .sends = false, .bytes = count});
    if (error != MPI_SUCCESS) fail(text_of(error));
  }
}

bool MpiRanks::complete_some() {
  completed_.resize(requests_.size());
  statuses_.resize(requests_.size());
  int count = 0;
  const int error =
      MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &count, completed_.data(), statuses_.data());
  if (count == MPI_UNDEFINED || count == 0) return false;
  check_completed(count, error);
  // What is complete has become MPI_REQUEST_NULL.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] == MPI_REQUEST_NULL) continue;
    requests_[kept] = requests_[i];
    pending_[kept++] = pending_[i];
  }
  requests_.resize(kept);
  pending_.resize(kept);
  return true;
}

// A message of another size is one that was meant for another receive: ranks that are not at the same place.
void MpiRanks::check_completed(int count, int error) {
  for (int i = 0; i < count; ++i) {
    const MPI_Status& status = statuses_[static_cast<std::size_t>(i)];
    const Pending& pending = pending_[static_cast<std::size_t>(completed_[static_cast<std::size_t>(i)])];
    if (error == MPI_ERR_IN_STATUS && status.MPI_ERROR != MPI_SUCCESS) fail(text_of(status.MPI_ERROR));
    int bytes = 0;
    if (!pending.sends) MPI_Get_count(&status, MPI_BYTE, &bytes);
    if (pending.sends || bytes == pending.bytes) continue;
    fail(fmt::format("rank {} sent {} bytes, expected {}: they are not at the same step", pending.peer, bytes,
                     pending.bytes));
  }
  if (error != MPI_SUCCESS && error != MPI_ERR_IN_STATUS) fail(text_of(error));
}

void MpiRanks::progress() {
  if (!requests_.empty()) complete_some();
}

void MpiRanks::wait() {
  auto last = std::chrono::steady_clock::now();
  while (!requests_.empty()) {
    if (complete_some()) {
      last = std::chrono::steady_clock::now();
      continue;
    }
    const double idle = seconds_since(last);
    if (idle > timeout_) fail(fmt::format("nothing arrived for {:g} seconds", timeout_));
    pause_after(idle);
  }
}

std::string MpiRanks::awaited() const {
  std::set<int> peers;
  for (const Pending& pending : pending_) {
    if (!pending.sends) peers.insert(pending.peer);
  }
  for (const Pending& pending : pending_) {
    if (peers.empty()) peers.insert(pending.peer);
  }
  std::string names;
  for (const int peer : peers) {
    names += fmt::format("{}rank {} on {}", names.empty() ? "" : ", ", peer, host(peer));
  }
  return names;
}

void MpiRanks::fail(const std::string& why) {
  failed_ = true;
  throw Error(
      ErrorCode::kPeer,
      fmt::format("rank {} on {} waits for {}: {}; it was killed or stopped, has too much to do, or the network "
                  "between them is cut. What was saved is whole; start the same run with `files.resume`",
                  rank_, host(rank_), awaited(), why));
}

void MpiRanks::end_all(int status) {
  end_launcher_later(launcher_of(getppid()));
  // MPI_Abort may not return either.
  abandoned_status = status;
  struct sigaction action {};
  action.sa_handler = abandon;
  sigaction(SIGALRM, &action, nullptr);
  alarm(2);
  MPI_Abort(MPI_COMM_WORLD, status);
  _exit(status);
}

}  // namespace unroll
