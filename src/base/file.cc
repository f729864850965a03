#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/stopwatch.h"
#include "unroll/error.h"

namespace unroll {
namespace {

[[noreturn]] void fail(std::string_view what, const std::string& path, int reason) {
  throw Error(ErrorCode::kFile, fmt::format("cannot {} '{}': {}", what, path, std::strerror(reason)));
}

[[noreturn]] void fail_for_memory(const std::string& path) {
  throw Error(ErrorCode::kMemory, fmt::format("no memory to read '{}'", path));
}

// A file open for reading.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) fail("open", path, errno);
    if (::fstat(descriptor_, &status_) != 0 || S_ISDIR(status_.st_mode)) {
      const int reason = S_ISDIR(status_.st_mode) ? EISDIR : errno;
      ::close(descriptor_);
      fail("read", path, reason);
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(descriptor_); }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Size of a regular file; 0 for anything else.
  [[nodiscard]] std::size_t size() const {
    return S_ISREG(status_.st_mode) ? static_cast<std::size_t>(status_.st_size) : 0;
  }

 private:
  int descriptor_;
  struct stat status_ {};
};

std::string read_all(const OpenFile& file, const std::string& path) {
  std::string bytes(file.size(), '\0');
  std::size_t filled = 0;
  while (true) {
    // Asks for one byte more than expected, to see the end of the file; pipes can then be read too.
    if (filled == bytes.size()) bytes.resize(filled + (filled == 0 || file.size() == 0 ? 1 << 16 : 1));
    const ssize_t got = ::read(file.descriptor(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path, errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

// Closes its file and, unless kept, removes it.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path)
      : path_(path), descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!kept_) ::unlink(path_.c_str());
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Returns 0, or the reason why the bytes may not be on disk.
  int close() {
    const int result = ::close(descriptor_);
    descriptor_ = -1;
    return result == 0 ? 0 : errno;
  }
  void keep() { kept_ = true; }

 private:
  std::string path_;
  int descriptor_;
  bool kept_ = false;
};

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Folders, devices and pipes are not renamed over.
void expect_replaceable(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status)) fail("write", path, EISDIR);
  if (std::filesystem::is_other(status)) {
    throw Error(ErrorCode::kFile, fmt::format("cannot replace '{}': it is not a regular file", path));
  }
}

// The target of a path: follows symbolic links; the target of the last one need not exist yet.
std::string end_of_links(const std::string& path) {
  constexpr int kMostLinks = 40;  // as many as Linux itself follows
  std::filesystem::path end = path;
  std::error_code failure;
  for (int i = 0; std::filesystem::is_symlink(end, failure); ++i) {
    if (i == kMostLinks) fail("write", path, ELOOP);
    const std::filesystem::path next = std::filesystem::read_symlink(end, failure);
    if (failure) fail("write", path, failure.value());
    end = end.parent_path() / next;  // `next` itself if that is absolute
  }
  return end.string();
}

void flush_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // the file itself is safe; a folder that cannot be opened cannot be flushed
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

std::string read_file(const std::string& path) { return read_all(OpenFile(path), path); }

MappedFile::MappedFile(const std::string& path) {
  const OpenFile file(path);
  // Files in /proc have size 0 but are not empty.
  if (file.size() == 0) {
    try {
      read_ = std::make_unique<const std::string>(read_all(file, path));
    } catch (const std::bad_alloc&) {
      fail_for_memory(path);
    } catch (const std::length_error&) {
      fail_for_memory(path);
    }
    bytes_ = *read_;
    return;
  }
  void* const start = ::mmap(nullptr, file.size(), PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (start == MAP_FAILED && errno == ENOMEM) fail_for_memory(path);
  if (start == MAP_FAILED) fail("map", path, errno);
  bytes_ = {static_cast<const char*>(start), file.size()};
}

MappedFile::~MappedFile() {
  if (!read_ && !bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), read_(std::move(other.read_)) {}

void MappedFile::fetch() const noexcept {
  if (!read_ && !bytes_.empty()) ::madvise(const_cast<char*>(bytes_.data()), bytes_.size(), MADV_POPULATE_READ);
}

void replace_file(const std::string& path, std::span<const std::string_view> pieces) {
  expect_replaceable(path);
  const std::string target = end_of_links(path);
  const std::string temporary_path = target + ".unroll-tmp";
  TemporaryFile temporary(temporary_path);
  if (temporary.descriptor() < 0) {
    const int reason = errno;
    temporary.keep();  // not ours to remove
    fail("write", temporary_path, reason);
  }
  for (const std::string_view piece : pieces) write_all(temporary.descriptor(), piece, temporary_path);
  if (::fsync(temporary.descriptor()) != 0) fail("write", temporary_path, errno);
  if (const int reason = temporary.close(); reason != 0) fail("write", temporary_path, reason);
  if (::rename(temporary_path.c_str(), target.c_str()) != 0) fail("replace", target, errno);
  temporary.keep();
  flush_folder_of(target);
}

FileClaim::FileClaim(const std::string& path) : lock_path_(path + ".lock"), descriptor_(-1) {
  expect_replaceable(path);
  while (true) {
    descriptor_ = ::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail("write", path, errno);
    // On file systems without locks everybody gets the claim.
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      ::close(descriptor_);
      throw Error(ErrorCode::kFile,
                  fmt::format("another process is writing '{}': wait for it, or give another path", path));
    }
    // The previous holder may have removed the file between the two calls.
    struct stat locked {};
    struct stat present {};
    if (::fstat(descriptor_, &locked) == 0 && ::stat(lock_path_.c_str(), &present) == 0 &&
        locked.st_ino == present.st_ino && locked.st_dev == present.st_dev) {
      return;
    }
    ::close(descriptor_);
  }
}

FileClaim::~FileClaim() {
  ::unlink(lock_path_.c_str());
  ::close(descriptor_);
}

double measure_write_seconds(const std::string& path, std::int64_t bytes) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (descriptor < 0) return 0;
  const Stopwatch watch;
  const std::string block(1 << 20, '\0');
  bool written = true;
  for (std::int64_t rest = bytes; rest > 0 && written;) {
    const auto now = static_cast<std::size_t>(std::min<std::int64_t>(rest, std::ssize(block)));
    const ssize_t got = ::write(descriptor, block.data(), now);
    written = got > 0;
    rest -= got;
  }
  written = ::fsync(descriptor) == 0 && written;
  ::close(descriptor);
  return written ? watch.seconds() : 0;
}

bool file_exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("remove", path, errno);
}

}  // namespace unroll
