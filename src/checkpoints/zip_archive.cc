#include "checkpoints/zip_archive.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <unordered_set>

#include "base/quote.h"
#include "checkpoints/byte_reader.h"
#include "checkpoints/value.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::string_view kLocalHeader("PK\x03\x04", 4);
constexpr std::string_view kCentralHeader("PK\x01\x02", 4);
constexpr std::string_view kEnd("PK\x05\x06", 4);
constexpr std::string_view kWideEnd("PK\x06\x06", 4);
constexpr std::string_view kWideLocator("PK\x06\x07", 4);
constexpr std::string_view kDataDescriptor("PK\x07\x08", 4);
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kWideEndBytes = 56;
constexpr std::size_t kEndBytes = 22;
constexpr std::uint32_t kIsWide = 0xFFFFFFFF;
constexpr std::uint16_t kWideExtra = 1;
constexpr std::uint16_t kEncrypted = 1;
constexpr std::uint16_t kHasDescriptor = 8;
constexpr std::size_t kLongestDescriptor = 24;

// A member as a header describes it, in the directory or before its data.
struct MemberHeader {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t checksum = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t local_header = 0;  // directory only
};

struct Directory {
  std::uint64_t at = 0;
  std::uint64_t end = 0;
  std::uint64_t count = 0;
};

class ZipReader {
 public:
  ZipReader(std::string_view bytes, const std::string& name) : bytes_(bytes), reader_(bytes, name) {}

  std::vector<ZipMember> read() {
    const Directory directory = find_directory();
    reader_.seek(directory.at);
    std::vector<MemberHeader> headers;
    while (reader_.at() < directory.end) headers.push_back(read_central());
    if (reader_.at() != directory.end || headers.size() != directory.count) {
      reader_.refuse(fmt::format("the archive says that it has {} members in {} bytes of directory, and has {}",
                                 directory.count, directory.end - directory.at, headers.size()));
    }
    check_names(headers);
    std::ranges::sort(headers, {}, &MemberHeader::local_header);
    std::vector<ZipMember> members;
    std::uint64_t at = 0;
    for (const MemberHeader& header : headers) members.push_back(read_member(header, at));
    if (directory.at - at > kLongestDescriptor) {
      reader_.refuse(fmt::format("{} bytes before the directory belong to no member", directory.at - at));
    }
    return members;
  }

 private:
  // The end of the archive is the end of the bytes, but for its comment.
  Directory find_directory() {
    const std::size_t end = bytes_.rfind(kEnd);
    if (end == std::string_view::npos) reader_.refuse("the archive has no end: it is cut short");
    reader_.seek(end + kEnd.size());
    const std::uint16_t disk = reader_.u16();
    const std::uint16_t directory_disk = reader_.u16();
    const std::uint16_t count_here = reader_.u16();
    Directory directory;
    directory.count = reader_.u16();
    const std::uint32_t size = reader_.u32();
    directory.at = reader_.u32();
    const std::uint16_t comment = reader_.u16();
    if (reader_.left() != comment) reader_.refuse("the archive ends before the file does");
    if (disk != 0 || directory_disk != 0) reader_.refuse("the archive is a part of several disks");
    if (count_here != directory.count) {
      reader_.refuse(
          fmt::format("the archive's end contradicts itself: it counts {} members in this file and {} in all",
                      count_here, directory.count));
    }
    directory.end = directory.at + size;
    const std::size_t plain_end = end;
    std::size_t expected_end = plain_end;
    if (end >= kLocatorBytes && bytes_.substr(end - kLocatorBytes, kWideLocator.size()) == kWideLocator) {
      expected_end = read_wide_end(end - kLocatorBytes, directory, size);
    } else if (directory.at == kIsWide) {
      reader_.refuse("the archive lacks the end that its sizes need");
    }
    if (directory.end != expected_end || directory.at > directory.end) {
      reader_.refuse("the archive's directory does not stand before its end");
    }
    return directory;
  }

  // The end of archives that may have 4 GB or more. Returns where it stands.
  std::size_t read_wide_end(std::size_t locator, Directory& directory, std::uint32_t plain_size) {
    reader_.seek(locator + kWideLocator.size());
    reader_.u32();
    const std::uint64_t at = reader_.u64();
    if (at > locator || locator - at != kWideEndBytes || bytes_.substr(at, kWideEnd.size()) != kWideEnd) {
      reader_.refuse("the archive's end for sizes of 64 bits does not stand where it should");
    }
    reader_.seek(at + kWideEnd.size() + 8 + 2 + 2 + 4 + 4 + 8);
    const std::uint64_t count = reader_.u64();
    const std::uint64_t size = reader_.u64();
    const std::uint64_t start = reader_.u64();
    const bool same_count = directory.count == std::min<std::uint64_t>(count, 0xFFFF) || directory.count == 0xFFFF;
    const bool same_size = plain_size == kIsWide || plain_size == size;
    const bool same_start = directory.at == kIsWide || directory.at == start;
    if (!same_count || !same_size || !same_start) reader_.refuse("the archive's two ends contradict each other");
    if (start > at || size != at - start) reader_.refuse("the archive's directory does not stand before its end");
    directory = {.at = start, .end = at, .count = count};
    return at;
  }

  MemberHeader read_central() {
    if (reader_.take(kCentralHeader.size()) != kCentralHeader) reader_.refuse("the archive's directory is damaged");
    MemberHeader header;
    reader_.take(4);  // versions
    header.flags = reader_.u16();
    header.method = reader_.u16();
    reader_.take(4);  // time, date
    header.checksum = reader_.u32();
    header.packed_size = reader_.u32();
    header.size = reader_.u32();
    const std::uint16_t name_bytes = reader_.u16();
    const std::uint16_t extra_bytes = reader_.u16();
    const std::uint16_t comment_bytes = reader_.u16();
    reader_.take(8);  // disk, attributes
    header.local_header = reader_.u32();
    header.name = reader_.take(name_bytes);
    read_extra(reader_.take(extra_bytes), header, true);
    reader_.take(comment_bytes);
    return header;
  }

  // Sizes of 64 bits, for each field that says so, in this order.
  void read_extra(std::string_view extra, MemberHeader& header, bool with_place) {
    ByteReader fields(extra, reader_.name());
    while (fields.left() >= 4) {
      const std::uint16_t id = fields.u16();
      const std::uint16_t length = fields.u16();
      if (length > fields.left()) return;  // padding, of which APPNOTE says nothing
      ByteReader field(fields.take(length), reader_.name());
      if (id != kWideExtra) continue;
      if (header.size == kIsWide) header.size = field.u64();
      if (header.packed_size == kIsWide) header.packed_size = field.u64();
      if (with_place && header.local_header == kIsWide) header.local_header = field.u64();
    }
  }

  void check_names(const std::vector<MemberHeader>& headers) {
    std::unordered_set<std::string> names;
    for (const MemberHeader& header : headers) {
      if (shown_name(header.name) != header.name) {
        reader_.refuse(fmt::format("a member has the name {}: expected one that can be printed", quote(header.name)));
      }
      if (!names.insert(header.name).second) {
        reader_.refuse(fmt::format("the archive has two members {}", header.name));
      }
    }
  }

  // The member that begins at `at` or, after a descriptor of the one before, a little later. Sets `at` to its end.
  ZipMember read_member(const MemberHeader& central, std::uint64_t& at) {
    const std::string& name = central.name;
    const auto refuse = [&](const std::string& why) { reader_.refuse(fmt::format("member {}: {}", name, why)); };
    const bool after_descriptor =
        at > 0 && central.local_header > at && central.local_header - at <= kLongestDescriptor;
    if (central.local_header != at && !after_descriptor) {
      refuse(fmt::format("it begins at byte {}: expected byte {}", central.local_header, at));
    }
    reader_.seek(central.local_header);
    if (reader_.take(kLocalHeader.size()) != kLocalHeader) refuse("its header is damaged");
    MemberHeader local;
    reader_.take(2);  // version
    local.flags = reader_.u16();
    local.method = reader_.u16();
    reader_.take(4);  // time, date
    local.checksum = reader_.u32();
    local.packed_size = reader_.u32();
    local.size = reader_.u32();
    const std::uint16_t name_bytes = reader_.u16();
    const std::uint16_t extra_bytes = reader_.u16();
    local.name = reader_.take(name_bytes);
    read_extra(reader_.take(extra_bytes), local, false);
    if ((central.flags & kEncrypted) != 0) refuse("it is encrypted");
    if (central.method != 0) refuse("it is compressed: expected members that are stored as they are");
    if (local.name != name) refuse(fmt::format("its own header calls it {}", quote(local.name)));
    if (local.method != central.method || local.flags != central.flags) refuse("its two headers contradict each other");
    const bool follows = (central.flags & kHasDescriptor) != 0 && local.size == 0 && local.checksum == 0;
    if (!follows && (local.size != central.size || local.packed_size != central.packed_size ||
                     local.checksum != central.checksum)) {
      refuse("its two headers contradict each other");
    }
    if (central.packed_size != central.size) refuse("its sizes contradict each other");
    const std::string_view data = reader_.take(central.size);
    at = reader_.at();
    if (checksum_of(data) != central.checksum) refuse("it is damaged: its checksum is another one");
    return {.name = name, .bytes = data};
  }

  static std::uint32_t checksum_of(std::string_view data) {
    return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
  }

  std::string_view bytes_;
  ByteReader reader_;
};

}  // namespace

std::vector<ZipMember> read_zip(std::string_view bytes, const std::string& name) {
  return ZipReader(bytes, name).read();
}

bool is_zip(std::string_view bytes) noexcept { return bytes.starts_with(kLocalHeader) || bytes.starts_with(kEnd); }

}  // namespace unroll
