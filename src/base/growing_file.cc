#include "unroll/growing_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/file_claim.h"
#include "base/file_path.h"
#include "base/new_file.h"
#include "unroll/error.h"

namespace unroll {
namespace {

std::string part_path_of(const std::string& target) {
  const std::filesystem::path path = target;
  return (path.parent_path() / fmt::format(".{}.unroll-part", path.filename().string())).string();
}

}  // namespace

struct GrowingFile::Impl {
  explicit Impl(const std::string& path) : claim(path), target(end_of_links(path)), part(part_path_of(target)) {
    struct stat status {};
    if (::lstat(part.c_str(), &status) != 0) {
      if (errno == ENOENT) return;
      fail_on_file("write", target, errno);
    }
    if (S_ISREG(status.st_mode)) return;
    throw Error(ErrorCode::kFile,
                fmt::format("'{}', in which '{}' would be written, is not a regular file: move it away", part, path));
  }
  ~Impl() {
    if (descriptor >= 0) ::close(descriptor);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[noreturn]] void fail() const { fail_on_file("write", target, errno); }

  FileClaim claim;
  std::string target;
  std::string part;
  int descriptor = -1;
  std::int64_t bytes = 0;
};

GrowingFile::GrowingFile(const std::string& path) : impl_(std::make_unique<Impl>(path)) {}
GrowingFile::~GrowingFile() = default;
GrowingFile::GrowingFile(GrowingFile&&) noexcept = default;
GrowingFile& GrowingFile::operator=(GrowingFile&&) noexcept = default;

const std::string& GrowingFile::part_path() const noexcept { return impl_->part; }

std::optional<std::int64_t> GrowingFile::left() const {
  struct stat status {};
  if (::lstat(impl_->part.c_str(), &status) != 0) return std::nullopt;
  return status.st_size;
}

void GrowingFile::start(std::int64_t kept) {
  Impl& file = *impl_;
  constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
  file.descriptor = ::open(file.part.c_str(), kFlags, 0666);
  if (file.descriptor < 0 || ::ftruncate(file.descriptor, kept) != 0) file.fail();
  file.bytes = kept;
}

void GrowingFile::write(std::string_view bytes) {
  Impl& file = *impl_;
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) file.fail();
    bytes.remove_prefix(static_cast<std::size_t>(written));
    file.bytes += written;
  }
}

void GrowingFile::finish() {
  Impl& file = *impl_;
  struct stat written {};
  struct stat status {};
  if (::fsync(file.descriptor) != 0 || ::fstat(file.descriptor, &written) != 0) file.fail();
  if (::lstat(file.part.c_str(), &status) != 0) file.fail();
  if (status.st_size != file.bytes || status.st_ino != written.st_ino || status.st_dev != written.st_dev) {
    throw Error(ErrorCode::kFile, fmt::format("'{}' has {} bytes, but {} were written: did another process write it? "
                                              "Remove it, and write '{}' again",
                                              file.part, status.st_size, file.bytes, file.target));
  }
  const int closed = ::close(file.descriptor);
  file.descriptor = -1;
  if (closed != 0) file.fail();
  if (::rename(file.part.c_str(), file.target.c_str()) != 0) fail_on_file("replace", file.target, errno);
  flush_folder_of(file.target);
}

void GrowingFile::discard() {
  Impl& file = *impl_;
  if (file.descriptor >= 0) ::close(file.descriptor);
  file.descriptor = -1;
  if (::unlink(file.part.c_str()) != 0 && errno != ENOENT) fail_on_file("remove", file.part, errno);
}

}  // namespace unroll
