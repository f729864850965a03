#include "base/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string_view>
#include <thread>
#include <vector>

namespace unroll {
namespace {

// Empty for a file that cannot be read.
std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Splits `text` at the first `separator`, sets `text` to the rest, and returns what comes before it.
std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// A whole number above zero; 0 for anything else.
std::int64_t positive_number(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && number > 0 ? number : 0;
}

// Cores that a quota is worth, rounded up; 0: no limit.
int cores_of(std::int64_t quota, std::int64_t period) {
  if (quota == 0 || period == 0) return 0;
  const std::int64_t cores = quota / period + (quota % period == 0 ? 0 : 1);
  return static_cast<int>(std::min<std::int64_t>(cores, 1 << 20));
}

int quota_v2(const std::string& folder) {
  const std::string line = content_of(folder + "/cpu.max");
  std::string_view rest = line;
  const std::int64_t quota = positive_number(next_part(rest, ' '));
  return cores_of(quota, positive_number(rest));
}

int quota_v1(const std::string& folder) {
  return cores_of(positive_number(content_of(folder + "/cpu.cfs_quota_us")),
                  positive_number(content_of(folder + "/cpu.cfs_period_us")));
}

int smaller_limit(int a, int b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); }

// The smallest quota of the group `path` ("/a/b") of a hierarchy and of all its parents. In a container, groups that
// the path names may be missing; the root of the hierarchy is then the container's own group.
int smallest_quota(const std::string& hierarchy, std::string_view path, int (*quota)(const std::string& folder)) {
  int limit = 0;
  while (!path.empty()) {
    limit = smaller_limit(limit, quota(hierarchy + std::string(path)));
    const std::size_t slash = path.rfind('/');
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return smaller_limit(limit, quota(hierarchy));
}

bool lists_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    if (next_part(controllers, ',') == "cpu") return true;
  }
  return false;
}

int affinity_cores() {
  constexpr std::size_t kBits = 8 * sizeof(unsigned long);
  // The call fails while the mask is smaller than the kernel's.
  for (std::size_t cpus = 1024; cpus <= std::size_t{1} << 20; cpus *= 2) {
    std::vector<unsigned long> mask(cpus / kBits);
    if (sched_getaffinity(0, mask.size() * sizeof(unsigned long), reinterpret_cast<cpu_set_t*>(mask.data())) == 0) {
      int count = 0;
      for (const unsigned long bits : mask) count += std::popcount(bits);
      return count;
    }
    if (errno != EINVAL) break;
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int cgroup_quota_cores(const std::string& root) {
  const std::string groups = content_of(root + "/proc/self/cgroup");
  const std::string mount = root + "/sys/fs/cgroup";
  std::string_view lines = groups;
  int limit = 0;
  while (!lines.empty()) {
    std::string_view path = next_part(lines, '\n');  // ID:CONTROLLERS:PATH, without controllers in version 2
    const std::string_view id = next_part(path, ':');
    const std::string_view controllers = next_part(path, ':');
    if (id == "0" && controllers.empty()) limit = smaller_limit(limit, smallest_quota(mount, path, quota_v2));
    if (lists_cpu(controllers)) limit = smaller_limit(limit, smallest_quota(mount + "/cpu", path, quota_v1));
  }
  return limit;
}

int usable_cores() { return std::max(1, smaller_limit(affinity_cores(), cgroup_quota_cores(""))); }

}  // namespace unroll
