#include "base/file_claim.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <string_view>

#include "base/file_path.h"
#include "base/new_file.h"
#include "unroll/error.h"
#include "unroll/paths.h"

namespace unroll {
namespace {

// How a lock file begins, which tells it from a file of somebody else, and tells a reader what it is. A line about its
// holder follows.
constexpr std::string_view kLockText = "unroll is writing the file of this name while this one is locked\n";

std::string lock_path_of(const std::string& target) {
  const std::filesystem::path path = target;
  return (path.parent_path() / fmt::format(".{}.unroll-lock", path.filename().string())).string();
}

// Such an entry in the place of a lock file is not one: a link, a folder, a socket, or a file that may not be opened.
bool means_no_lock(int reason) {
  return reason == EACCES || reason == ELOOP || reason == EISDIR || reason == ENXIO || reason == EROFS;
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

// The bytes of an open file, up to more than a lock file has.
std::string text_of(int descriptor) {
  std::array<char, kLockText.size() + HOST_NAME_MAX + 64> text{};
  const ssize_t got = ::pread(descriptor, text.data(), text.size(), 0);
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

// "process 77 on host b", as the lock file has it; empty where it does not say.
std::string holder_of(int descriptor) {
  const std::string text = text_of(descriptor);
  if (!text.starts_with(kLockText)) return "";
  const std::string line = text.substr(kLockText.size());
  return line.substr(0, line.find('\n'));
}

std::string refusal(const std::string& path, const std::string& lock_path, const std::string& holder) {
  std::string message = fmt::format("another process is writing '{}'", path);
  if (!holder.empty()) message += fmt::format(" ({})", holder);
  message += ": wait for it, or give another path";
  if (holder.empty() || holder.ends_with(fmt::format(" on host {}", host_name()))) return message;
  return message +
         fmt::format("; if that process is gone, and the file server still keeps its lock, remove '{}'", lock_path);
}

}  // namespace

void expect_writable(const std::string& path) {
  expect_replaceable(path);
  const std::string target = end_of_links(path);
  for (const std::string& name : {target, lock_path_of(target)}) {
    struct stat status {};
    if (::lstat(name.c_str(), &status) != 0 && errno == ENAMETOOLONG) fail_on_file("write", path, ENAMETOOLONG);
  }
  static_cast<void>(NewFile(target));
}

FileClaim::FileClaim(const std::string& path) : path_(path), lock_path_(lock_path_of(end_of_links(path))) {
  expect_writable(path);
  while (open_lock()) {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      const std::string holder = holder_of(descriptor_);
      ::close(descriptor_);
      throw Error(ErrorCode::kFile, refusal(path, lock_path_, holder));
    }
    if (is_in_place()) {
      name_holder();
      remove_leftovers(path);
      return;
    }
    ::close(descriptor_);
  }
}

FileClaim::~FileClaim() {
  if (descriptor_ < 0) return;
  if (is_ours() && is_in_place()) ::unlink(lock_path_.c_str());
  ::close(descriptor_);
}

bool FileClaim::open_lock() {
  constexpr int kFlags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  while (true) {
    descriptor_ = ::open(lock_path_.c_str(), O_RDWR | kFlags);
    // That of another user's run can be locked without being written.
    if (descriptor_ < 0 && errno == EACCES) descriptor_ = ::open(lock_path_.c_str(), O_RDONLY | kFlags);
    if (descriptor_ >= 0) break;
    if (means_no_lock(errno)) return false;
    if (errno != ENOENT) fail_on_file("write", path_, errno);
    descriptor_ = ::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_EXCL | kFlags, 0666);
    made_ = descriptor_ >= 0;
    if (made_) {
      write_text();
      return true;
    }
    if (errno != EEXIST) fail_on_file("write", path_, errno);
  }
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) return true;
  ::close(descriptor_);
  descriptor_ = -1;
  return false;
}

void FileClaim::write_text() {
  const ssize_t written = ::write(descriptor_, kLockText.data(), kLockText.size());
  if (written == static_cast<ssize_t>(kLockText.size())) return;
  const int reason = written < 0 ? errno : ENOSPC;
  ::unlink(lock_path_.c_str());
  ::close(descriptor_);
  fail_on_file("write", path_, reason);
}

bool FileClaim::is_in_place() const {
  struct stat open {};
  struct stat present {};
  return ::fstat(descriptor_, &open) == 0 && ::lstat(lock_path_.c_str(), &present) == 0 &&
         open.st_ino == present.st_ino && open.st_dev == present.st_dev;
}

bool FileClaim::is_ours() const { return made_ || text_of(descriptor_).starts_with(kLockText); }

void FileClaim::name_holder() const {
  if (!is_ours()) return;
  const std::string line = fmt::format("process {} on host {}\n", ::getpid(), host_name());
  constexpr auto kStart = static_cast<off_t>(kLockText.size());
  const ssize_t written = ::pwrite(descriptor_, line.data(), line.size(), kStart);
  // Without space, or in another user's file, the holder stays unnamed.
  static_cast<void>(::ftruncate(descriptor_, kStart + std::max<ssize_t>(written, 0)));
}

}  // namespace unroll
