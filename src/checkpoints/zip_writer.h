// Writes zip archives whose members are stored as they are (checkpoints/zip_archive.h reads them).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// Collects members, without copying them. Equal members give equal archives: they have no date.
class ZipWriter {
 public:
  // Adds a member, whose bytes are the pieces one after another and begin at a multiple of 64, by padding in the field
  // "FB" as PyTorch writes it. Keeps views of the pieces. Throws Error{kFile} where the archive would have 4 GiB or
  // more, or 65,535 members or more. Requires a name in ASCII that is new.
  void add(const std::string& name, const std::vector<std::string_view>& pieces);

  // The archive, as views of what was added and of this.
  [[nodiscard]] std::vector<std::string_view> finish();

 private:
  void append(std::string bytes);

  std::uint64_t at_ = 0;
  std::uint64_t members_ = 0;
  std::string directory_;
  std::deque<std::string> headers_;  // does not move what is viewed
  std::vector<std::string_view> pieces_;
};

}  // namespace unroll
