#include "base/usable_cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <thread>

#include "support/temporary_folder.h"

namespace unroll {
namespace {

// A root folder with the files of /proc and /sys/fs/cgroup that a test writes.
class FakeRoot {
 public:
  // `groups` is the content of /proc/self/cgroup.
  explicit FakeRoot(const std::string& groups) { write("/proc/self/cgroup", groups); }

  FakeRoot& write(const std::string& path, const std::string& content) {
    const std::filesystem::path file = folder_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    write_bytes(file.string(), content);
    return *this;
  }
  FakeRoot& write_group(const std::string& path, const std::string& content) {
    return write("/sys/fs/cgroup" + path, content);
  }
  FakeRoot& write_v1_group(const std::string& path, const std::string& quota, const std::string& period) {
    write("/sys/fs/cgroup/cpu" + path + "/cpu.cfs_quota_us", quota);
    return write("/sys/fs/cgroup/cpu" + path + "/cpu.cfs_period_us", period);
  }

  [[nodiscard]] int cores() const { return cgroup_quota_cores(folder_.path()); }

 private:
  TemporaryFolder folder_;
};

TEST(UsableCores, AQuotaIsRoundedUpToWholeCores) {
  EXPECT_EQ(FakeRoot("0::/a\n").write_group("/a/cpu.max", "150000 100000\n").cores(), 2);
  EXPECT_EQ(FakeRoot("0::/a\n").write_group("/a/cpu.max", "200000 100000\n").cores(), 2);
  EXPECT_EQ(FakeRoot("0::/a\n").write_group("/a/cpu.max", "5000 100000\n").cores(), 1);
}

TEST(UsableCores, AQuotaOfMaxIsNoLimit) {
  EXPECT_EQ(FakeRoot("0::/a\n").write_group("/a/cpu.max", "max 100000\n").cores(), 0);
}

TEST(UsableCores, TheSmallestQuotaOfAGroupAndItsParentsCounts) {
  EXPECT_EQ(FakeRoot("0::/a/b/c\n")
                .write_group("/a/cpu.max", "300000 100000\n")
                .write_group("/a/b/cpu.max", "max 100000\n")
                .write_group("/a/b/c/cpu.max", "700000 100000\n")
                .cores(),
            3);
  EXPECT_EQ(FakeRoot("0::/a/b\n").write_group("/a/b/cpu.max", "90000 100000\n").cores(), 1);
}

TEST(UsableCores, TheRootOfAContainerHasItsQuotaWhateverThePathOfTheGroup) {
  EXPECT_EQ(FakeRoot("0::/\n").write_group("/cpu.max", "400000 100000\n").cores(), 4);
  EXPECT_EQ(FakeRoot("0::/docker/0123\n").write_group("/cpu.max", "400000 100000\n").cores(), 4);
}

TEST(UsableCores, GroupsOfVersion1HaveAQuotaAndAPeriod) {
  const std::string groups = "3:cpuset:/x\n2:cpu,cpuacct:/a/b\n1:memory:/a\n0::/\n";
  EXPECT_EQ(FakeRoot(groups).write_v1_group("/a/b", "250000\n", "100000\n").cores(), 3);
  EXPECT_EQ(FakeRoot(groups).write_v1_group("/a/b", "-1\n", "100000\n").cores(), 0);
  EXPECT_EQ(FakeRoot(groups).write_v1_group("", "50000\n", "100000\n").cores(), 1);
  EXPECT_EQ(FakeRoot(groups)
                .write_v1_group("/a", "200000\n", "100000\n")
                .write_v1_group("/a/b", "800000\n", "100000\n")
                .cores(),
            2);
}

TEST(UsableCores, GroupsOfOtherControllersHaveNoQuota) {
  EXPECT_EQ(FakeRoot("1:cpuset,cpuacct:/a\n").write_v1_group("/a", "100000\n", "100000\n").cores(), 0);
}

TEST(UsableCores, AMissingFileIsNoLimit) {
  EXPECT_EQ(cgroup_quota_cores(TemporaryFolder().path()), 0);
  EXPECT_EQ(FakeRoot("0::/a\n").cores(), 0);
  EXPECT_EQ(FakeRoot("2:cpu:/a\n").write("/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "100000\n").cores(), 0);
}

TEST(UsableCores, AFileThatIsNotOfTheExpectedFormIsNoLimit) {
  for (const std::string garbage : {"", "\n", "x", "100000", "100000 ", "100000 0", "0 100000", "-5 100000",
                                    "1e5 100000", "100000 100000 7", "99999999999999999999 100000"}) {
    EXPECT_EQ(FakeRoot("0::/a\n").write_group("/a/cpu.max", garbage).cores(), 0) << garbage;
  }
  for (const std::string garbage : {"", "\n\n", "::", "0", "0:", "0:cpu", ":::::", "a", "0::a"}) {
    EXPECT_EQ(FakeRoot(garbage).cores(), 0) << garbage;
  }
}

TEST(UsableCores, AThreadOnOneProcessorMayUseOneCore) {
  int cores = 0;
  std::thread([&cores] {
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    std::size_t first = 0;
    while (!CPU_ISSET(first, &allowed)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    cores = usable_cores();
  }).join();
  EXPECT_EQ(cores, 1);
}

TEST(UsableCores, AreNeitherNoneNorMoreThanTheProcessorHas) {
  EXPECT_GE(usable_cores(), 1);
  EXPECT_LE(usable_cores(), static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace unroll
