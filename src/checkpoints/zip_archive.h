// Zip archives whose members are stored as they are, as PyTorch and NumPy write them.
//
// Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unroll {

struct ZipMember {
  std::string name;
  std::string_view bytes;  // in the archive's
};

// The members in the order of the central directory. `name` is what messages call the archive: "'x.pt'".
//
// The archive must be all of `bytes`: members without gaps (but for data descriptors) or overlaps, directory, end. Each
// member's checksum is verified, and what its local header says is compared with the directory.
// Throws Error{kFormat} naming archive and member for what is damaged, compressed or encrypted, for an archive of
// several disks, for two members of one name, and for names that are not printable text.
[[nodiscard]] std::vector<ZipMember> read_zip(std::string_view bytes, const std::string& name);

// Whether bytes begin like a zip archive.
[[nodiscard]] bool is_zip(std::string_view bytes) noexcept;

}  // namespace unroll
