// Whether files stay as they are while a long run reads them: their sizes and times tell.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace unroll {

class InputStamps {
 public:
  // Of files, and of folders with the files in them, as they are now.
  explicit InputStamps(const std::vector<std::string>& paths);

  // The first path that is not what it was, or empty.
  [[nodiscard]] std::string changed_path() const;

 private:
  struct Stamp {
    std::string path;
    std::uintmax_t bytes = 0;
    std::int64_t files = 0;
    std::filesystem::file_time_type latest = std::filesystem::file_time_type::min();
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  [[nodiscard]] static Stamp stamp_of(const std::string& path);

  std::vector<Stamp> stamps_;
};

}  // namespace unroll
