// Preloaded into the program by cli_failing_calls.py: makes one system call fail, the n-th of its kind that concerns a
// file of one folder. What the environment says:
//   FAILING_CALL    write, fsync, rename, open or mmap
//   FAILING_AT      n, from 1
//   FAILING_FOLDER  the folder, without links
//   FAILING_MARK    a file outside it that is created when the call fails
//   UNNAMED_FILES   "none": there are none (O_TMPFILE), as on many file systems; "stay": they cannot be given a name
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

std::string_view setting(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

bool is_in_folder(std::string_view path) {
  const std::string_view folder = setting("FAILING_FOLDER");
  return !folder.empty() && path.starts_with(folder);
}

bool is_in_folder(int descriptor) {
  constexpr int kLastStandardStream = 2;
  if (descriptor <= kLastStandardStream) return false;
  std::array<char, 4096> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t size = readlink(link.c_str(), target.data(), target.size());
  return size > 0 && is_in_folder(std::string_view(target.data(), static_cast<std::size_t>(size)));
}

// Whether this call, on a file of the folder, is the one that is to fail; sets errno.
bool fails(std::string_view call, int reason) {
  static std::atomic<int> calls{0};
  if (setting("FAILING_CALL") != call || ++calls != std::atoi(std::getenv("FAILING_AT"))) return false;
  syscall(SYS_openat, AT_FDCWD, std::getenv("FAILING_MARK"), O_CREAT | O_WRONLY, 0600);
  errno = reason;
  return true;
}

int open_or_fail(const char* path, int flags, mode_t mode) {
  if ((flags & O_TMPFILE) == O_TMPFILE && setting("UNNAMED_FILES") == "none") {
    errno = EOPNOTSUPP;
    return -1;
  }
  if (is_in_folder(std::string_view(path)) && fails("open", EMFILE)) return -1;
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t size) {
  if (is_in_folder(descriptor) && fails("write", ENOSPC)) return -1;
  return syscall(SYS_write, descriptor, bytes, size);
}

int fsync(int descriptor) {
  if (is_in_folder(descriptor) && fails("fsync", EIO)) return -1;
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}

int rename(const char* from, const char* to) noexcept {
  if (is_in_folder(std::string_view(from)) && fails("rename", EACCES)) return -1;
  return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  if (setting("UNNAMED_FILES") == "stay") {
    errno = ENOENT;
    return -1;
  }
  return static_cast<int>(syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_or_fail(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_or_fail(path, flags, mode);
}

void* mmap(void* address, size_t size, int protection, int flags, int descriptor, off_t offset) noexcept {
  if (is_in_folder(descriptor) && fails("mmap", ENOMEM)) return MAP_FAILED;
  return reinterpret_cast<void*>(syscall(SYS_mmap, address, size, protection, flags, descriptor, offset));
}

void* mmap64(void* address, size_t size, int protection, int flags, int descriptor, off_t offset) noexcept {
  return mmap(address, size, protection, flags, descriptor, offset);
}

}  // extern "C"
