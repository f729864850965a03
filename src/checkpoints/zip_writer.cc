#include "checkpoints/zip_writer.h"

#include <fmt/core.h>
#include <zlib.h>

#include <utility>

#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kFieldBytes = 4;
constexpr std::uint64_t kArchiveLimit = std::uint64_t{1} << 32;
constexpr std::uint64_t kMemberLimit = 0xFFFF;
constexpr std::uint16_t kVersion = 20;
constexpr std::uint16_t kFirstDay = 0x21;  // of 1980, the first that can be said

void append_16(std::string& bytes, std::uint64_t number) {
  bytes += static_cast<char>(number & 0xFF);
  bytes += static_cast<char>(number >> 8 & 0xFF);
}

void append_32(std::string& bytes, std::uint64_t number) {
  append_16(bytes, number & 0xFFFF);
  append_16(bytes, number >> 16);
}

struct ZipEntry {
  const std::string& name;
  std::uint64_t checksum = 0;
  std::uint64_t size = 0;
};

// What the local header and the directory say alike: from the flags to the length of the name.
void append_entry(std::string& bytes, const ZipEntry& entry) {
  append_16(bytes, 0);  // flags
  append_16(bytes, 0);  // stored
  append_16(bytes, 0);  // time
  append_16(bytes, kFirstDay);
  append_32(bytes, entry.checksum);
  append_32(bytes, entry.size);
  append_32(bytes, entry.size);
  append_16(bytes, entry.name.size());
}

// The header of a member at `at`, padded so that its bytes begin at a multiple of kAlignment.
std::string local_header(const ZipEntry& entry, std::uint64_t at) {
  const std::uint64_t unpadded = at + kLocalBytes + entry.name.size() + kFieldBytes;
  const std::uint64_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
  std::string bytes("PK\x03\x04", 4);
  append_16(bytes, kVersion);
  append_entry(bytes, entry);
  append_16(bytes, kFieldBytes + padding);
  bytes += entry.name;
  bytes += "FB";
  append_16(bytes, padding);
  bytes.append(padding, 'Z');
  return bytes;
}

std::string central_header(const ZipEntry& entry, std::uint64_t at) {
  std::string bytes("PK\x01\x02", 4);
  append_16(bytes, kVersion);  // made by
  append_16(bytes, kVersion);  // needed
  append_entry(bytes, entry);
  append_16(bytes, 0);  // extra fields
  append_16(bytes, 0);  // comment
  append_16(bytes, 0);  // disk
  append_16(bytes, 0);  // attributes
  append_32(bytes, 0);
  append_32(bytes, at);
  return bytes + entry.name;
}

}  // namespace

void ZipWriter::append(std::string bytes) {
  at_ += bytes.size();
  pieces_.emplace_back(headers_.emplace_back(std::move(bytes)));
}

void ZipWriter::add(const std::string& name, const std::vector<std::string_view>& pieces) {
  ZipEntry entry{.name = name};
  for (const std::string_view piece : pieces) entry.size += piece.size();
  // Twice: in the directory too.
  const std::uint64_t headers = 2 * (kLocalBytes + name.size() + kAlignment);
  if (at_ + directory_.size() + headers + entry.size >= kArchiveLimit || members_ + 1 >= kMemberLimit) {
    throw Error(ErrorCode::kFile,
                fmt::format("a zip archive of less than 4 GiB has no room for member {} of {} bytes: the format "
                            "safetensors has",
                            name, entry.size));
  }
  for (const std::string_view piece : pieces) {
    entry.checksum = crc32_z(entry.checksum, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
  }
  directory_ += central_header(entry, at_);
  append(local_header(entry, at_));
  pieces_.insert(pieces_.end(), pieces.begin(), pieces.end());
  at_ += entry.size;
  ++members_;
}

std::vector<std::string_view> ZipWriter::finish() {
  const std::uint64_t directory = at_;
  const std::uint64_t size = directory_.size();
  append(std::move(directory_));
  std::string end("PK\x05\x06", 4);
  append_32(end, 0);  // disks
  append_16(end, members_);
  append_16(end, members_);
  append_32(end, size);
  append_32(end, directory);
  append_16(end, 0);  // comment
  append(std::move(end));
  return pieces_;
}

}  // namespace unroll
