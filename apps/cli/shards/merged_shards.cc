#include "cli/shards/merged_shards.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/shards/shard_files.h"
#include "unroll/error.h"

namespace unroll {
namespace {

constexpr std::size_t kMostNamedShards = 10;

std::int64_t head_bytes(const std::string& path) {
  SideReader reader(side_path(path));
  while (const std::optional<SideLine> line = reader.next()) {
    if (const auto* const head = std::get_if<SideHead>(&*line)) return head->bytes;
  }
  return 0;
}

// Passes bytes [first, last) of a file on.
void copy_bytes(const std::string& path, std::int64_t first, std::int64_t last, Output& out) {
  constexpr std::int64_t kPart = 1 << 16;
  std::ifstream file(path, std::ios::binary);
  file.seekg(first);
  std::string part;
  for (std::int64_t at = first; at < last; at += std::ssize(part)) {
    part.resize(static_cast<std::size_t>(std::min(last - at, kPart)));
    if (!file.read(part.data(), std::ssize(part))) {
      throw Error(ErrorCode::kFile, fmt::format("cannot read '{}': was it changed meanwhile?", path));
    }
    out.write(part);
  }
}

std::string bytes_of_file(const std::string& path, std::int64_t last) {
  std::string bytes;
  Output out([&bytes](std::string_view more) { bytes += more; });
  copy_bytes(path, 0, last, out);
  out.flush();
  return bytes;
}

void expect_side_file(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::exists(side_path(path), unknown)) return;
  throw Error(ErrorCode::kFile,
              fmt::format("there is no '{}': merge takes files that were written with --output, whose "
                          "side files stand next to them",
                          side_path(path)));
}

std::unique_ptr<UnitTotals> empty_totals(const std::string& path, const ShardIdentity& identity) {
  try {
    return totals_of(identity.verb, identity.parameters);
  } catch (const Error& error) {
    throw about_side_file(path, error);
  }
}

void add_unit(const std::string& path, const UnitSums& unit, UnitTotals& totals) {
  try {
    totals.add(unit);
  } catch (const Error& error) {
    throw about_side_file(path, error);
  }
}

std::string missing_shards(const std::vector<std::int64_t>& numbers, std::int64_t of) {
  std::string missing;
  std::size_t count = 0;
  for (std::int64_t i = 1; i <= of; ++i) {
    if (std::ranges::binary_search(numbers, i)) continue;
    if (++count <= kMostNamedShards) missing += fmt::format("{}{}/{}", missing.empty() ? "" : ", ", i, of);
  }
  if (count > kMostNamedShards) missing += fmt::format(" and {} more", count - kMostNamedShards);
  return missing;
}

}  // namespace

MergedShards::MergedShards(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    expect_side_file(path);
    files_.push_back({.path = path, .identity = SideReader(side_path(path)).identity(), .end = {}});
  }
  std::ranges::stable_sort(files_, {}, [](const File& file) { return file.identity.shard.number; });
  check_together();
  for (File& file : files_) {
    file.end = check_shard(file.path);
    file.head = head_bytes(file.path);
    const std::string& set = file.identity.instruction_set;
    if (std::ranges::find(instruction_sets_, set) == instruction_sets_.end()) instruction_sets_.push_back(set);
  }
}

void MergedShards::check_together() const {
  const File& first = files_.front();
  std::vector<std::int64_t> numbers;
  for (const File& file : files_) {
    const std::string difference = first.identity.difference(file.identity, false);
    if (!difference.empty()) {
      throw Error(ErrorCode::kInput,
                  fmt::format("'{}' and '{}' are no shards of one whole: {} differs; make all with one command",
                              first.path, file.path, difference));
    }
    if (!numbers.empty() && numbers.back() == file.identity.shard.number) {
      throw Error(ErrorCode::kInput,
                  fmt::format("'{}' and '{}' are both shard {}/{}: give each shard once",
                              files_[numbers.size() - 1].path, file.path, numbers.back(), file.identity.shard.of));
    }
    numbers.push_back(file.identity.shard.number);
  }
  if (std::ssize(numbers) == first.identity.shard.of) return;
  throw Error(ErrorCode::kInput,
              fmt::format("{} of {} shards are given: missing are {}", numbers.size(), first.identity.shard.of,
                          missing_shards(numbers, first.identity.shard.of)));
}

std::unique_ptr<UnitTotals> MergedShards::totals() const {
  std::unique_ptr<UnitTotals> totals = empty_totals(files_.front().path, files_.front().identity);
  for (const File& file : files_) {
    SideReader reader(side_path(file.path));
    while (std::optional<SideLine> line = reader.next()) {
      if (const auto* const unit = std::get_if<SideUnit>(&*line)) add_unit(file.path, unit->sums, *totals);
    }
  }
  return totals;
}

void MergedShards::write(const UnitTotals& totals, bool json, Output& out) const {
  const std::string head = bytes_of_file(files_.front().path, files_.front().head);
  out.write(head);
  for (const File& file : files_) {
    if (bytes_of_file(file.path, file.head) != head) {
      throw Error(ErrorCode::kInput,
                  fmt::format("'{}' and '{}' begin with different headers", files_.front().path, file.path));
    }
    copy_bytes(file.path, file.head, file.end.bytes - file.end.tail, out);
  }
  out.write(totals.tail(json || files_.front().identity.json));
}

}  // namespace unroll
