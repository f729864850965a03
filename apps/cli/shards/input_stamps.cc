#include "cli/shards/input_stamps.h"

#include <algorithm>
#include <system_error>

namespace unroll {

InputStamps::InputStamps(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) stamps_.push_back(stamp_of(path));
}

std::string InputStamps::changed_path() const {
  for (const Stamp& stamp : stamps_) {
    if (stamp_of(stamp.path) != stamp) return stamp.path;
  }
  return "";
}

// What cannot be told stays as it is: whoever reads the file says so.
InputStamps::Stamp InputStamps::stamp_of(const std::string& path) {
  Stamp stamp{.path = path};
  std::error_code unknown;
  const auto add = [&](const std::filesystem::path& file) {
    const std::uintmax_t bytes = std::filesystem::file_size(file, unknown);
    if (unknown) return;
    ++stamp.files;
    stamp.bytes += bytes;
    stamp.latest = std::max(stamp.latest, std::filesystem::last_write_time(file, unknown));
  };
  add(path);
  std::filesystem::recursive_directory_iterator files(path, unknown);
  if (unknown) return stamp;
  for (const auto end = std::filesystem::recursive_directory_iterator(); files != end; files.increment(unknown)) {
    add(files->path());
  }
  return stamp;
}

}  // namespace unroll
