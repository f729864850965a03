#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <utility>

#include "base/file_path.h"
#include "base/new_file.h"
#include "base/stopwatch.h"
#include "unroll/error.h"

namespace unroll {
namespace {

[[noreturn]] void fail_for_memory(const std::string& path) {
  throw Error(ErrorCode::kMemory, fmt::format("no memory to read '{}'", path));
}

// A file open for reading.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path, int flags = 0)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags)) {
    if (descriptor_ < 0) fail_on_file("open", path, errno);
    if (::fstat(descriptor_, &status_) != 0 || S_ISDIR(status_.st_mode)) {
      const int reason = S_ISDIR(status_.st_mode) ? EISDIR : errno;
      ::close(descriptor_);
      fail_on_file("read", path, reason);
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(descriptor_); }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool is_regular() const { return S_ISREG(status_.st_mode); }
  // Size of a regular file; 0 for anything else.
  [[nodiscard]] std::size_t size() const { return is_regular() ? static_cast<std::size_t>(status_.st_size) : 0; }

 private:
  int descriptor_;
  struct stat status_ {};
};

// Reads up to `most` bytes; 0: the file ends.
std::size_t read_some(const OpenFile& file, const std::string& path, char* to, std::size_t most) {
  while (true) {
    const ssize_t got = ::read(file.descriptor(), to, most);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) fail_on_file("read", path, errno);
  }
}

std::string read_all(const OpenFile& file, const std::string& path) {
  std::string bytes(file.size(), '\0');
  std::size_t filled = 0;
  while (true) {
    // Asks for one byte more than expected, to see the end of the file; pipes can then be read too.
    if (filled == bytes.size()) bytes.resize(filled + (filled == 0 || file.size() == 0 ? 1 << 16 : 1));
    const std::size_t got = read_some(file, path, bytes.data() + filled, bytes.size() - filled);
    if (got == 0) break;
    filled += got;
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

std::string read_file(const std::string& path) { return read_all(OpenFile(path), path); }

std::string read_head(const std::string& path, std::size_t most) {
  const OpenFile file(path);
  std::string bytes(most, '\0');
  std::size_t filled = 0;
  while (filled < most) {
    const std::size_t got = read_some(file, path, bytes.data() + filled, most - filled);
    if (got == 0) break;
    filled += got;
  }
  bytes.resize(filled);
  return bytes;
}

MappedFile::MappedFile(const std::string& path, Kinds kinds) {
  const bool only_regular = kinds == Kinds::kRegular;
  const OpenFile file(path, only_regular ? O_NONBLOCK : 0);
  if (only_regular && !file.is_regular()) {
    throw Error(ErrorCode::kFile, fmt::format("'{}' is a pipe or a device: expected a regular file", path));
  }
  if (only_regular && file.size() == 0) return;
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
  if (start == MAP_FAILED) fail_on_file("map", path, errno);
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

void MappedFile::forget() const noexcept {
  if (!read_ && !bytes_.empty()) ::madvise(const_cast<char*>(bytes_.data()), bytes_.size(), MADV_DONTNEED);
}

void replace_file(const std::string& path, std::span<const std::string_view> pieces) {
  expect_replaceable(path);
  NewFile file(end_of_links(path));
  for (const std::string_view piece : pieces) file.write(piece);
  file.replace_target();
}

double measure_write_seconds(const std::string& path, std::int64_t bytes) {
  const int descriptor = ::open(folder_of(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
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
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail_on_file("remove", path, errno);
}

}  // namespace unroll
