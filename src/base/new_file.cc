#include "base/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "base/file_path.h"
#include "unroll/error.h"
#include "unroll/fnv1a.h"

namespace unroll {
namespace {

struct OpenDescriptor {
  ~OpenDescriptor() { ::close(number); }
  int number;
};

std::uint64_t random_bits() {
  std::uint64_t bits = 0;
  while (::getrandom(&bits, sizeof(bits), 0) != sizeof(bits) && errno == EINTR) {
  }
  return bits;
}

// How the names of new files for `target` begin.
std::string prefix_of(const std::string& target) {
  const std::string name = std::filesystem::path(target).filename().string();
  return fmt::format(".unroll-tmp-{:016x}-", fnv1a(name));
}

// What open says where O_TMPFILE is unknown to the file system or to the kernel.
bool lacks_unnamed_files(int reason) {
  return reason == EOPNOTSUPP || reason == EISDIR || reason == EINVAL || reason == ENOENT;
}

// What is said of a folder that may not be read, or on a file system where folders are not flushed.
bool means_no_flush(int reason) {
  return reason == EACCES || reason == EPERM || reason == EINVAL || reason == ENOSYS || reason == EOPNOTSUPP;
}

// Whether `target` is another user's in a folder like /tmp, where only the owner of a file may replace it.
bool belongs_to_another(const std::string& target) {
  struct stat file {};
  struct stat folder {};
  if (::lstat(target.c_str(), &file) != 0 || ::stat(folder_of(target).c_str(), &folder) != 0) return false;
  const uid_t user = ::geteuid();
  return (folder.st_mode & S_ISVTX) != 0 && user != 0 && user != file.st_uid && user != folder.st_uid;
}

}  // namespace

void expect_replaceable(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status)) fail_on_file("write", path, EISDIR);
  if (std::filesystem::is_other(status)) {
    throw Error(ErrorCode::kFile, fmt::format("cannot replace '{}': it is not a regular file", path));
  }
  if (belongs_to_another(end_of_links(path))) fail_on_file("replace", path, EPERM);
}

void remove_leftovers(const std::string& path) {
  constexpr std::size_t kDigits = 16;
  const std::string target = end_of_links(path);
  const std::string prefix = prefix_of(target);
  std::error_code failed;
  for (auto entry = std::filesystem::directory_iterator(folder_of(target), failed);
       !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    const bool is_new_file = name.starts_with(prefix) && name.size() == prefix.size() + kDigits;
    std::error_code ignored;
    if (is_new_file && std::filesystem::is_regular_file(entry->symlink_status(ignored))) {
      std::filesystem::remove(entry->path(), ignored);
    }
  }
}

void flush_folder_of(const std::string& target) {
  const int folder = ::open(folder_of(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int reason = folder < 0 || ::fsync(folder) != 0 ? errno : 0;
  if (folder >= 0) ::close(folder);
  if (reason != 0 && !means_no_flush(reason)) fail_on_file("flush the folder of", target, reason);
}

NewFile::NewFile(const std::string& target)
    : target_(target),
      folder_(folder_of(target)),
      descriptor_(::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666)) {
  if (descriptor_ >= 0) return;
  if (!lacks_unnamed_files(errno)) fail_on_file("write", target_, errno);
  open_named();
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!name_.empty()) ::unlink(name_.c_str());
}

template <class Make>
bool NewFile::make_with_fresh_name(const Make& make) {
  constexpr int kMostTries = 100;
  for (int i = 0; i < kMostTries; ++i) {
    const std::string name =
        (std::filesystem::path(target_).parent_path() / fmt::format("{}{:016x}", prefix_of(target_), random_bits()))
            .string();
    if (make(name.c_str())) {
      name_ = name;
      return true;
    }
    if (errno != EEXIST) break;
  }
  return false;
}

void NewFile::open_named() {
  const bool made = make_with_fresh_name([this](const char* name) {
    descriptor_ = ::open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    return descriptor_ >= 0;
  });
  if (!made) fail_on_file("write", target_, errno);
}

std::string NewFile::content_path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }

void NewFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_on_file("write", target_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void NewFile::rewrite_start(std::string_view bytes) {
  off_t at = 0;
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_on_file("write", target_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += written;
  }
}

void NewFile::replace_target() {
  if (::fsync(descriptor_) != 0) fail_on_file("write", target_, errno);
  if (name_.empty() && !give_name()) copy_to_named();
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail_on_file("write", target_, errno);
  if (::rename(name_.c_str(), target_.c_str()) != 0) fail_on_file("replace", target_, errno);
  name_.clear();
  flush_folder_of(target_);
}

bool NewFile::give_name() {
  const std::string unnamed = fmt::format("/proc/self/fd/{}", descriptor_);
  return make_with_fresh_name(
      [&](const char* name) { return ::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0; });
}

// Where an open file cannot be given a name, for want of /proc, it is copied.
void NewFile::copy_to_named() {
  const OpenDescriptor unnamed{std::exchange(descriptor_, -1)};
  open_named();
  off_t offset = 0;
  ssize_t copied = 0;
  constexpr std::size_t kMost = std::size_t{1} << 30;
  while ((copied = ::sendfile(descriptor_, unnamed.number, &offset, kMost)) > 0 || (copied < 0 && errno == EINTR)) {
  }
  if (copied < 0 || ::fsync(descriptor_) != 0) fail_on_file("write", target_, errno);
}

}  // namespace unroll
