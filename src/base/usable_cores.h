// The number of processor cores that this process may use.
#pragma once

#include <string>

namespace unroll {

// The CPUs in the affinity mask of the calling thread, or the CPU quota of its control groups if that is smaller. At
// least 1.
[[nodiscard]] int usable_cores();

// The CPU quota of this process's control groups in cores, rounded up; 0 if there is no limit. The smallest one counts
// of the groups that /proc/self/cgroup names and of their parents:
//
//   version 2   cpu.max: "QUOTA PERIOD", or "max PERIOD" for no limit
//   version 1   cpu.cfs_quota_us / cpu.cfs_period_us in the hierarchy of the controller cpu; a quota of -1 is no limit
//
// A file that is missing or not of this form is no limit. Reads root + "/proc" and root + "/sys/fs/cgroup"; `root` is
// empty except in tests.
[[nodiscard]] int cgroup_quota_cores(const std::string& root);

}  // namespace unroll
