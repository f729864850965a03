#include "base/file_path.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "unroll/error.h"
#include "unroll/paths.h"

namespace unroll {
namespace {

// A file is its device and inode; one that does not exist yet is its folder's, and its name.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  std::string name;

  bool operator==(const FileIdentity&) const = default;
};

FileIdentity identity_of(const std::string& path) {
  const std::string shown = path == "-" ? "/dev/stdin" : path;
  struct stat status {};
  if (::stat(shown.c_str(), &status) == 0) return {status.st_dev, status.st_ino, ""};
  const std::string target = end_of_links(shown);
  const std::string name = std::filesystem::path(target).filename().string();
  if (::stat(folder_of(target).c_str(), &status) != 0) return {0, 0, target};
  return {status.st_dev, status.st_ino, name};
}

}  // namespace

std::string end_of_links(const std::string& path) {
  constexpr int kMostLinks = 40;  // as many as Linux itself follows
  std::filesystem::path end = path;
  std::error_code failure;
  for (int i = 0; std::filesystem::is_symlink(end, failure); ++i) {
    if (i == kMostLinks) fail_on_file("open", path, ELOOP);
    const std::filesystem::path next = std::filesystem::read_symlink(end, failure);
    if (failure) fail_on_file("open", path, failure.value());
    end = end.parent_path() / next;  // `next` itself if that is absolute
  }
  return end.string();
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

void fail_on_file(std::string_view what, const std::string& path, int reason) {
  throw Error(ErrorCode::kFile, fmt::format("cannot {} '{}': {}", what, path, std::strerror(reason)));
}

bool same_file(const std::string& a, const std::string& b) { return identity_of(a) == identity_of(b); }

}  // namespace unroll
