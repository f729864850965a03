// The two files of a shard while they are written: what makes them complete, and what a killed run left of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "cli/shards/side_file.h"
#include "unroll/growing_file.h"

namespace unroll {

// Both files of `path`, claimed.
class ShardFiles {
 public:
  ShardFiles(const std::string& path, ShardIdentity identity);

  // Whether both are in place, whole and of this identity. Throws Error{kUsage} where `path` has another file, and
  // Error{kFormat} where one is damaged, unless `overwrite`.
  [[nodiscard]] bool are_complete(bool overwrite) const;

  // Puts the side file in its place if that alone is missing of a run that was killed; whether it did. Throws
  // Error{kFormat} where it is damaged, unless `overwrite`.
  [[nodiscard]] bool finish_renaming(bool overwrite);

  // Opens both. With `resume` they keep what is whole of an interrupted run: take(sums) is called for each unit. Throws
  // Error{kUsage} where parts are left that may neither be kept nor removed, and Error{kFormat} where that of the side
  // file is damaged; with `overwrite` too, what is whole before the damage is kept instead.
  void start(bool resume, bool overwrite, const std::function<void(const UnitSums&)>& take);

  // Units that were kept; and whether the head was.
  [[nodiscard]] std::int64_t kept_units() const noexcept { return kept_units_; }
  [[nodiscard]] bool has_head() const noexcept { return has_head_; }

  // Appends to the file.
  void write(std::string_view bytes);

  // Appends lines to the side file, and marks that the file goes as far as they say.
  void record(std::string_view lines);

  // Seals the side file and puts both in their places. `tail`: bytes after the last unit, of `units`.
  void finish(std::int64_t units, std::int64_t tail);

  // Removes both parts.
  void discard();

 private:
  // Bytes of both parts that are whole, up to the last mark that the file agrees with.
  struct Kept {
    std::int64_t side_bytes = 0;
    std::uint64_t side_hash = kFnv1aStart;
    SideMark mark = {};
    std::int64_t units = 0;
    bool head = false;
  };
  [[nodiscard]] Kept find_kept(bool overwrite, const std::function<void(const UnitSums&)>& take) const;
  void keep_marked(const std::function<void(const UnitSums&)>& take, Kept& kept) const;
  void expect_replaceable_parts(bool resume, bool overwrite) const;
  void write_side(std::string_view lines);

  std::string path_;
  ShardIdentity identity_;
  GrowingFile file_;
  GrowingFile side_;
  std::int64_t kept_units_ = 0;
  bool has_head_ = false;
  SideMark written_;
  std::uint64_t side_hash_ = kFnv1aStart;
};

// The end of the side file of a shard that is whole: of its own units as they add up, and of a file with these bytes.
// Throws Error{kFormat}, naming what is wrong, for one that is not.
SideEnd check_shard(const std::string& path);

}  // namespace unroll
