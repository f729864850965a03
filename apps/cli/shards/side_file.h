// The side file of a shard: what was asked for, and the numbers of each unit from which totals are made.
//
//   {"unroll_shard":1,"verb":"score","shard":2,"of":7,...}     what was asked for
//   head 152                                                   bytes of the file before those of the first unit
//   49 c05829a4...,0000000000000000 74,74,0,0                  of a unit: bytes of the file, bits of doubles, counts
//   mark 8201 91f2... 5c1d...                                  bytes so far, and the hash of these
//   end 142857 1183022 03ab... 0 77e0...                    units, bytes, hash of the file; bytes after the last unit
//
// The first line, each mark and the end also have, last, the hash of all of the side file before it: damage is found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/flags/shard_flags.h"
#include "cli/streams/unit_range.h"
#include "unroll/error.h"
#include "unroll/fnv1a.h"
#include "unroll/text.h"

namespace unroll {

// What makes the bytes of a shard's file.
struct ShardIdentity {
  std::string verb;  // the kind of totals: "score", "eval"
  Shard shard = {};
  std::int64_t units = 0;  // of all shards
  std::string text = {};   // hash of the input
  std::vector<std::string> models = {};
  std::string options = {};  // hash of the flags
  std::string version = {};  // of unroll
  std::string instruction_set = {};
  bool json = false;              // the form of the tail
  std::string parameters = "{}";  // of the totals: a JSON object

  // What differs from `other`, in words; empty: nothing. Whether the shard has to be the same one is `same_shard`.
  [[nodiscard]] std::string difference(const ShardIdentity& other, bool same_shard) const;
};

// The numbers of one unit from which totals are made; every bit is kept.
struct UnitSums {
  std::vector<double> reals = {};
  std::vector<std::int64_t> counts = {};
};

struct SideHead {
  std::int64_t bytes = 0;
};
struct SideUnit {
  std::int64_t bytes = 0;
  UnitSums sums = {};
};
struct SideMark {
  std::int64_t bytes = 0;
  std::uint64_t hash = kFnv1aStart;
};
struct SideEnd {
  std::int64_t units = 0;
  std::int64_t bytes = 0;
  std::uint64_t hash = 0;
  std::int64_t tail = 0;
};
using SideLine = std::variant<SideHead, SideUnit, SideMark, SideEnd>;

// The path of the side file of `path`.
[[nodiscard]] std::string side_path(const std::string& path);

// Units [first, last) of a shard: of L units, floor((I - 1) L / N) to floor(I L / N).
[[nodiscard]] UnitRange range_of(const Shard& shard, std::int64_t units) noexcept;

// What is wrong with numbers of the side file of `path`, with its name and what to do.
[[nodiscard]] Error about_side_file(const std::string& path, const Error& error);

// Lines with their newlines.
[[nodiscard]] std::string identity_line(const ShardIdentity& identity);
[[nodiscard]] std::string side_line(const SideLine& line);

// Of a mark or an end, where `before` is the hash of all lines before it.
[[nodiscard]] std::string sealed_side_line(const SideLine& line, std::uint64_t before);

// Whether the first line of a file is whole, and begins as that of a side file.
[[nodiscard]] bool begins_as_side_file(const std::string& path);

// Reads a side file from its start.
class SideReader {
 public:
  // Throws Error{kFile} as LineReader, and Error{kFormat} for a file that does not begin as a side file of this
  // version, or whose first line was damaged.
  explicit SideReader(const std::string& path);

  [[nodiscard]] const ShardIdentity& identity() const noexcept { return identity_; }

  // The next line; none at the end, and from a line without newline on. Throws Error{kFormat} for anything else, naming
  // file and line; for lines that were damaged at the latest from the mark or the end that follows them.
  [[nodiscard]] std::optional<SideLine> next();

  // Bytes of the lines that were returned, and of the first; and their hash.
  [[nodiscard]] std::int64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }

 private:
  std::string path_;
  LineReader reader_;
  ShardIdentity identity_;
  std::int64_t bytes_ = 0;
  std::uint64_t hash_ = kFnv1aStart;
  std::int64_t lines_ = 0;
};

}  // namespace unroll
