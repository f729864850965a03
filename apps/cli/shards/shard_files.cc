#include "cli/shards/shard_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "cli/streams/file_hash.h"
#include "cli/streams/quantities.h"
#include "unroll/error.h"

namespace unroll {
namespace {

bool exists(const std::string& path) {
  std::error_code unknown;
  return std::filesystem::exists(path, unknown);
}

// Hashes a file as far as marks go.
class HashedStart {
 public:
  explicit HashedStart(const std::string& path) : file_(path, std::ios::binary) {}

  // Whether the file begins with the bytes that the mark tells of. Requires marks in order.
  bool agrees_with(const SideMark& mark) {
    std::string part;
    while (here_.bytes < mark.bytes) {
      part.resize(static_cast<std::size_t>(std::min(mark.bytes - here_.bytes, kPart)));
      if (!file_.read(part.data(), std::ssize(part))) return false;
      here_.hash = fnv1a(here_.hash, part);
      here_.bytes += std::ssize(part);
    }
    return here_.bytes == mark.bytes && here_.hash == mark.hash;
  }

 private:
  static constexpr std::int64_t kPart = 1 << 16;

  std::ifstream file_;
  SideMark here_;
};

// The identity of the side file at `path`; none where that is not one, or ends in its first line, or was damaged there
// and may be replaced. Throws Error{kFormat} for one that was damaged there otherwise.
std::optional<ShardIdentity> identity_at(const std::string& path, bool overwrite) {
  if (!begins_as_side_file(path)) return std::nullopt;
  try {
    return SideReader(path).identity();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kFormat || !overwrite) throw;
    return std::nullopt;
  }
}

// The end of a side file, which must be its last line, and agree with the others.
SideEnd check_side_file(const std::string& side) {
  SideReader reader(side);
  SideMark sum;
  std::int64_t units = 0;
  std::optional<SideEnd> end;
  while (std::optional<SideLine> line = reader.next()) {
    if (end) break;
    if (const auto* const head = std::get_if<SideHead>(&*line)) sum.bytes += head->bytes;
    if (const auto* const unit = std::get_if<SideUnit>(&*line)) sum.bytes += unit->bytes;
    if (std::holds_alternative<SideUnit>(*line)) ++units;
    if (const auto* const last = std::get_if<SideEnd>(&*line)) end = *last;
  }
  if (!end || end->units != units || end->bytes != sum.bytes + end->tail) {
    throw Error(ErrorCode::kFormat, fmt::format("'{}' is cut short: make the shard again with --overwrite", side));
  }
  std::error_code unknown;
  if (std::filesystem::file_size(side, unknown) != static_cast<std::uintmax_t>(reader.bytes())) {
    throw Error(ErrorCode::kFormat,
                fmt::format("'{}' goes on after its end: make the shard again with --overwrite", side));
  }
  const UnitRange range = range_of(reader.identity().shard, reader.identity().units);
  if (units == range.last - range.first) return *end;
  throw Error(ErrorCode::kFormat,
              fmt::format("'{}' has {} lines, and shard {}/{} of {} has {}: make the shard again "
                          "with --overwrite",
                          side, grouped(units), reader.identity().shard.number, reader.identity().shard.of,
                          grouped(reader.identity().units), grouped(range.last - range.first)));
}

}  // namespace

SideEnd check_shard(const std::string& path) {
  const std::string side = side_path(path);
  const SideEnd end = check_side_file(side);
  std::error_code unknown;
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path, unknown));
  if (unknown) throw Error(ErrorCode::kFile, fmt::format("cannot read '{}': {}", path, unknown.message()));
  if (size != end.bytes || hash_of_file(path) != end.hash) {
    throw Error(ErrorCode::kFormat,
                fmt::format("'{}' does not have the {} bytes that '{}' tells of: was it changed? Make "
                            "the shard again with --overwrite",
                            path, grouped(end.bytes), side));
  }
  return end;
}

ShardFiles::ShardFiles(const std::string& path, ShardIdentity identity)
    : path_(path), identity_(std::move(identity)), file_(path), side_(side_path(path)) {}

bool ShardFiles::are_complete(bool overwrite) const {
  const std::string side = side_path(path_);
  const std::optional<ShardIdentity> there = exists(side) ? identity_at(side, overwrite) : std::nullopt;
  const std::string difference = there ? identity_.difference(*there, true) : "";
  if (exists(path_) && there && difference.empty()) {
    try {
      static_cast<void>(check_shard(path_));
      return true;
    } catch (const Error&) {
      if (!overwrite) throw;
    }
  }
  if (overwrite || (!exists(path_) && (there || !exists(side)))) return false;
  if (there) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("'{}' exists, and was made with another command: {} differs; give --overwrite to replace it, or "
                    "another --output",
                    path_, difference));
  }
  if (exists(path_) && !exists(side) && !file_.left() && begins_as_side_file(side_.part_path())) {
    throw Error(ErrorCode::kUsage,
                fmt::format("'{}' exists, but '{}', which an interrupted run left as a part, does not: "
                            "give --resume to finish it, --overwrite to begin again, or another "
                            "--output",
                            path_, side));
  }
  throw Error(ErrorCode::kUsage, fmt::format("'{}' exists: give --overwrite to replace it, or another --output",
                                             exists(path_) ? path_ : side));
}

// A kill between the two renamings leaves the file in its place and its side file as a part.
bool ShardFiles::finish_renaming(bool overwrite) {
  if (file_.left() || !side_.left() || !exists(path_)) return false;
  const std::string side = side_.part_path();
  const std::optional<ShardIdentity> there = identity_at(side, overwrite);
  if (!there || !identity_.difference(*there, true).empty()) return false;
  try {
    SideReader reader(side);
    std::optional<SideEnd> end;
    while (std::optional<SideLine> line = reader.next()) {
      if (const auto* const last = std::get_if<SideEnd>(&*line)) end = *last;
    }
    if (!end || hash_of_file(path_) != end->hash) return false;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kFormat || !overwrite) throw;
    return false;
  }
  side_.start(*side_.left());
  side_.finish();
  return true;
}

void ShardFiles::expect_replaceable_parts(bool resume, bool overwrite) const {
  const std::optional<std::int64_t> file_left = file_.left();
  const std::optional<std::int64_t> side_left = side_.left();
  if (!file_left && !side_left.value_or(0)) return;
  if (overwrite && side_left && begins_as_side_file(side_.part_path())) return;
  const std::optional<ShardIdentity> there = side_left ? identity_at(side_.part_path(), overwrite) : std::nullopt;
  if (!there) {
    if (!file_left) return;  // killed before the first line of the side file was whole
    throw Error(ErrorCode::kUsage,
                fmt::format("'{}', in which '{}' would be written, was not left by a run with --output: move it away",
                            file_.part_path(), path_));
  }
  if (const std::string difference = identity_.difference(*there, true); !difference.empty()) {
    throw Error(ErrorCode::kUsage, fmt::format("an interrupted run left a part of '{}', made with another command: {} "
                                               "differs; give --overwrite to begin again, or another --output",
                                               path_, difference));
  }
  if (resume && there->instruction_set != identity_.instruction_set) {
    throw Error(
        ErrorCode::kUsage,
        fmt::format("an interrupted run left a part of '{}', made with the instruction set {}, and here it is {}: the "
                    "last bits may differ; go on with UNROLL_MAX_ISA or on a machine like that one, or give "
                    "--overwrite to begin again",
                    path_, there->instruction_set, identity_.instruction_set));
  }
  if (resume) return;
  throw Error(ErrorCode::kUsage,
              fmt::format("an interrupted run left a part of '{}': give --resume to go on with it, or "
                          "--overwrite to begin again",
                          path_));
}

ShardFiles::Kept ShardFiles::find_kept(bool overwrite, const std::function<void(const UnitSums&)>& take) const {
  Kept kept;
  if (!side_.left().value_or(0) || !file_.left()) return kept;
  try {
    keep_marked(take, kept);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kFormat || !overwrite) throw;
  }
  return kept;
}

void ShardFiles::keep_marked(const std::function<void(const UnitSums&)>& take, Kept& kept) const {
  SideReader reader(side_.part_path());
  HashedStart start(file_.part_path());
  std::vector<UnitSums> waiting;  // for a mark
  bool head = false;
  while (std::optional<SideLine> line = reader.next()) {
    head = head || std::holds_alternative<SideHead>(*line);
    if (auto* const unit = std::get_if<SideUnit>(&*line)) waiting.push_back(std::move(unit->sums));
    const auto* const mark = std::get_if<SideMark>(&*line);
    if (mark == nullptr) continue;
    if (!start.agrees_with(*mark)) break;
    for (const UnitSums& sums : waiting) take(sums);
    kept.units += std::ssize(waiting);
    waiting.clear();
    kept.side_bytes = reader.bytes();
    kept.side_hash = reader.hash();
    kept.mark = *mark;
    kept.head = head;
  }
}

void ShardFiles::start(bool resume, bool overwrite, const std::function<void(const UnitSums&)>& take) {
  expect_replaceable_parts(resume, overwrite);
  Kept kept;
  if (resume && side_.left()) {
    const std::optional<ShardIdentity> there = identity_at(side_.part_path(), overwrite);
    if (there && identity_.difference(*there, true).empty()) kept = find_kept(overwrite, take);
  }
  if (kept.side_bytes == 0) {
    file_.discard();
    side_.start();
    write_side(identity_line(identity_));
    file_.start();
    return;
  }
  side_.start(kept.side_bytes);
  file_.start(kept.mark.bytes);
  written_ = kept.mark;
  side_hash_ = kept.side_hash;
  kept_units_ = kept.units;
  has_head_ = kept.head;
}

void ShardFiles::write(std::string_view bytes) {
  file_.write(bytes);
  written_.hash = fnv1a(written_.hash, bytes);
  written_.bytes += std::ssize(bytes);
}

void ShardFiles::write_side(std::string_view lines) {
  side_.write(lines);
  side_hash_ = fnv1a(side_hash_, lines);
}

void ShardFiles::record(std::string_view lines) {
  write_side(lines);
  write_side(sealed_side_line(written_, side_hash_));
}

void ShardFiles::discard() {
  file_.discard();
  side_.discard();
}

void ShardFiles::finish(std::int64_t units, std::int64_t tail) {
  const SideEnd end{.units = units, .bytes = written_.bytes, .hash = written_.hash, .tail = tail};
  write_side(sealed_side_line(end, side_hash_));
  file_.finish();
  side_.finish();
}

}  // namespace unroll
