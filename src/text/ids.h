// The ids of a text: in memory, or in a mapped file that may be larger than memory.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "unroll/fnv1a.h"

namespace unroll {

// What an id cache begins with (model/id_cache.h), and no text does: the magic, and the version in 4 bytes.
inline constexpr std::string_view kIdCacheHead("unrolids\1\0\0\0", 12);

// How ids stand in a file: one after another, little-endian, of 2 or 4 bytes each. With all bits set, an id is
// kNoSymbol.
struct StoredIds {
  std::size_t offset = 0;  // of the first one; a multiple of `width`
  std::size_t count = 0;
  int width = 4;             // bytes of each
  std::int32_t symbols = 0;  // V: each is below
  bool line_ends = false;    // some may be kNoSymbol: the vocabulary has no boundary
};

// Ids in a mapped file. Only what is read of it takes memory, which the system can take back.
class MappedIds {
 public:
  // Requires a file that holds them. `name` is what messages call it: "'book.ids'".
  MappedIds(MappedFile file, std::string name, const StoredIds& stored)
      : file_(std::move(file)), name_(std::move(name)), stored_(stored) {}

  [[nodiscard]] std::size_t size() const noexcept { return stored_.count; }

  // Throws Error{kFormat}, naming file and position, for a number that is no id of the vocabulary.
  [[nodiscard]] std::int32_t at(std::size_t position) const;

  // All of them as they stand in the file.
  [[nodiscard]] std::string_view bytes() const noexcept {
    return file_.bytes().substr(stored_.offset, stored_.count * static_cast<std::size_t>(stored_.width));
  }

  // Gives back the memory of what was read so far.
  void forget() const noexcept { file_.forget(); }

 private:
  MappedFile file_;
  std::string name_;
  StoredIds stored_;
};

// Tells one sequence of ids from another: FNV-1a of the ids, part after part.
class IdHash {
 public:
  explicit IdHash(std::uint64_t start = kFnv1aStart) noexcept : hash_(start) {}

  void add(std::int32_t id) noexcept { hash_ = fnv1a(hash_, static_cast<std::uint32_t>(id)); }

  // So that a cut between two parts at another place gives another hash. Returns that of all so far.
  std::uint64_t end_part() noexcept { return hash_ = fnv1a(hash_, 0xFF); }

 private:
  std::uint64_t hash_;
};

// Views ids, which must outlive it.
class IdView {
 public:
  IdView() = default;
  // Of ids in memory: a vector or a span.
  template <class Range>
  requires std::convertible_to<const Range&, std::span<const std::int32_t>> IdView(const Range& ids)
  noexcept {  // NOLINT(google-explicit-constructor)
    const std::span<const std::int32_t> span(ids);
    memory_ = span.data();
    size_ = span.size();
  }
  IdView(const MappedIds& file, std::size_t first, std::size_t size) noexcept
      : file_(&file), first_(first), size_(size) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  // Requires position < size(). Throws as MappedIds::at().
  [[nodiscard]] std::int32_t operator[](std::size_t position) const {
    return file_ == nullptr ? memory_[position] : file_->at(first_ + position);
  }

  // Requires count <= size().
  [[nodiscard]] IdView first(std::size_t count) const noexcept {
    IdView part = *this;
    part.size_ = count;
    return part;
  }

  // The ids in memory; those of a file are copied to `room`. Throws as MappedIds::at().
  [[nodiscard]] std::span<const std::int32_t> in_memory(std::vector<std::int32_t>& room) const;

 private:
  const std::int32_t* memory_ = nullptr;
  const MappedIds* file_ = nullptr;
  std::size_t first_ = 0;  // in the file
  std::size_t size_ = 0;
};

// Owns ids in memory, or a share in those of a file.
class Ids {
 public:
  Ids() = default;
  Ids(std::vector<std::int32_t> ids) noexcept : memory_(std::move(ids)) {}  // NOLINT(google-explicit-constructor)
  Ids(std::shared_ptr<const MappedIds> file, std::size_t first, std::size_t count) noexcept
      : file_(std::move(file)), first_(first), count_(count) {}

  [[nodiscard]] IdView view() const noexcept { return file_ ? IdView(*file_, first_, count_) : IdView(memory_); }
  [[nodiscard]] std::size_t size() const noexcept { return view().size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] bool mapped() const noexcept { return file_ != nullptr; }

  // Gives back the memory of what was read so far of a file.
  void forget() const noexcept {
    if (file_) file_->forget();
  }

 private:
  std::vector<std::int32_t> memory_;
  std::shared_ptr<const MappedIds> file_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace unroll
