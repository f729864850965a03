#include "base/workers.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "unroll/error.h"

namespace unroll {
namespace {

class WorkersOf : public testing::TestWithParam<int> {};

TEST_P(WorkersOf, RunEachTaskOnce) {
  Workers workers(GetParam());
  EXPECT_EQ(workers.count(), GetParam());
  for (int round = 0; round < 200; ++round) {
    const std::int64_t tasks = round % 17;
    std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
    workers.run(tasks, [&](std::int64_t task) { ++runs[static_cast<std::size_t>(task)]; });
    for (const auto& count : runs) EXPECT_EQ(count.load(), 1);
  }
}

TEST_P(WorkersOf, RangesAndShardsCoverAllOnce) {
  Workers workers(GetParam());
  for (const std::int64_t size : {0, 1, 2, 7, 48, 49, 1000}) {
    std::vector<int> ranges(static_cast<std::size_t>(size));
    std::vector<int> shards(static_cast<std::size_t>(size));
    workers.run_ranges(size, 48, [&](std::int64_t first, std::int64_t last) {
      EXPECT_LE(last - first, 48);
      for (std::int64_t i = first; i < last; ++i) ++ranges[static_cast<std::size_t>(i)];
    });
    workers.run_shards(size, [&](std::int64_t first, std::int64_t last) {
      EXPECT_LT(first, last);
      for (std::int64_t i = first; i < last; ++i) ++shards[static_cast<std::size_t>(i)];
    });
    EXPECT_EQ(ranges, std::vector<int>(static_cast<std::size_t>(size), 1));
    EXPECT_EQ(shards, std::vector<int>(static_cast<std::size_t>(size), 1));
  }
}

TEST_P(WorkersOf, AnExceptionOfATaskReachesTheCallerAndTheTeamKeepsWorking) {
  Workers workers(GetParam());
  EXPECT_THROW(workers.run(9,
                           [](std::int64_t task) {
                             if (task == 5) throw std::runtime_error("five");
                           }),
               std::runtime_error);
  std::atomic<std::int64_t> sum{0};
  workers.run(10, [&](std::int64_t task) { sum += task; });
  EXPECT_EQ(sum.load(), 45);
}

TEST_P(WorkersOf, TasksFlushSubnormals) {
  Workers workers(GetParam());
  std::atomic<int> bad{0};
  workers.run(64, [&](std::int64_t) {
    volatile float tiny = std::numeric_limits<float>::min();
    const float half = tiny * 0.5F;
    if (half != 0.0F) ++bad;
  });
  EXPECT_EQ(bad.load(), 0);
  volatile float tiny = std::numeric_limits<float>::min();
  EXPECT_GT(tiny * 0.5F, 0.0F);
}

INSTANTIATE_TEST_SUITE_P(OneTwoThree, WorkersOf, testing::Values(1, 2, 3));

TEST(Workers, RefuseAnImpossibleNumber) {
  EXPECT_THROW(Workers(-1), Error);
  EXPECT_THROW(Workers(1025), Error);
}

// In a child process with hardly any memory for stacks.
TEST(Workers, ThreadsThatCannotBeStartedAreAnError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need more addresses than a limit leaves";
#endif
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{.rlim_cur = std::size_t{1} << 30, .rlim_max = std::size_t{1} << 30};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(2);
    try {
      const Workers workers(1024);
    } catch (const Error& error) {
      ::_exit(error.code() == ErrorCode::kMemory ? 0 : 3);
    }
    ::_exit(4);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace unroll
