// Signals that arrive while products run: some kernels of oneDNN before 3.12 point the stack pointer into the heap,
// where a handler's frame would overwrite whatever lies there.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>

#include <atomic>
#include <vector>

#include "base/workers.h"
#include "kernels/matmul.h"
#include "random_matrix.h"

namespace unroll {
namespace {

volatile sig_atomic_t arrived = 0;

void note_signal(int) { arrived = arrived + 1; }

bool is_blocked(int signal) {
  sigset_t now;
  pthread_sigmask(SIG_BLOCK, nullptr, &now);
  return sigismember(&now, signal) == 1;
}

// SIGALRM every fifth of a millisecond, with a handler.
class ManySignals {
 public:
  ManySignals() {
    struct sigaction action {};
    action.sa_handler = note_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, &before_);
    every(200);
  }
  ManySignals(const ManySignals&) = delete;
  ManySignals& operator=(const ManySignals&) = delete;
  ~ManySignals() {
    every(0);
    sigaction(SIGALRM, &before_, nullptr);
  }

 private:
  static void every(suseconds_t microseconds) {
    const itimerval timer{{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, nullptr);
  }

  struct sigaction before_ {};
};

TEST(Signals, FromOutsideWaitWhileATaskRuns) {
  for (const int threads : {1, 3}) {
    Workers workers(threads);
    std::atomic<int> bad{0};
    workers.run(64, [&](std::int64_t) {
      if (!is_blocked(SIGINT) || !is_blocked(SIGPROF) || is_blocked(SIGSEGV)) ++bad;
    });
    EXPECT_EQ(bad.load(), 0);
    EXPECT_FALSE(is_blocked(SIGINT));
  }
}

TEST(Signals, HarmNoMemoryWhileProductsRun) {
  constexpr std::int64_t kRows = 48;
  constexpr std::int64_t K = 256;
  constexpr std::int64_t N = 512;
  const RandomMatrix a(K, N, 1);
  const RandomMatrix x(kRows, K, 2);
  RandomMatrix y(kRows, N, 3);
  Workers workers(2);
  PackedMatrix packed(K, N);
  const auto multiply = [&] {
    workers.run_ranges(kRows, 12, [&](std::int64_t first, std::int64_t last) {
      packed.multiply(x.view.row_range(first, last - first), {}, y.view.row_range(first, last - first));
    });
  };
  workers.run(1, [&](std::int64_t) { packed.pack(a.view); });
  multiply();
  const std::vector<float> undisturbed = y.values;
  const ManySignals signals;
  for (int i = 0; i < 20000 && arrived < 1000; ++i) {
    multiply();
    ASSERT_EQ(y.values, undisturbed);
  }
  EXPECT_GT(arrived, 0);
}

}  // namespace
}  // namespace unroll
