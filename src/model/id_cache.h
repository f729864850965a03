// Reads and writes the files of id caches.
//
//   file   = frame JSON zeros ids
//   frame  = 64 bytes: "unrolids"; version, bytes of an id: 4 bytes each; ids to train on, ids held out, offset of the
//            first id, length of the JSON, XXH64 of the ids, XXH64 of frame and JSON with this field zero: 8 bytes each
//   JSON   = {"tokenizer": the metadata of a model file, "vocabulary": V, ...}
//   ids    = those to train on, then those held out, 2 or 4 bytes each; all bits set: the end of a line where the
//            vocabulary has no boundary
//
// Numbers are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "text/ids.h"
#include "unroll/id_cache.h"

namespace unroll {

// What the first bytes of a file say, besides the info.
struct IdCacheHeader {
  IdCacheInfo info;
  std::uint64_t train_hash = 0;  // IdHash of the ids to train on,
  std::uint64_t hash = 0;        // and of those and what was held out
  std::uint64_t checksum = 0;    // of the ids
  std::size_t offset = 0;        // of the first one
};

// The offset of the first id in a file with this tokenizer: room for any header.
[[nodiscard]] std::size_t id_offset(const Tokenizer& tokenizer);

// The first bytes of a file, at most header.offset.
[[nodiscard]] std::string header_bytes(const IdCacheHeader& header);

// Bytes of an id in a vocabulary of so many symbols.
[[nodiscard]] int id_width(std::int64_t symbols) noexcept;

// An id cache, mapped; a copy shares the file.
class IdCache {
 public:
  // Throws as read_id_cache().
  explicit IdCache(const std::string& path);

  [[nodiscard]] const IdCacheInfo& info() const noexcept { return header_.info; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }  // what messages call it

  [[nodiscard]] Ids train() const { return {ids_, 0, train_count()}; }
  [[nodiscard]] Ids valid() const { return {ids_, train_count(), ids_->size() - train_count()}; }

  // IdHash of train(), and of both.
  [[nodiscard]] std::uint64_t train_hash() const noexcept { return header_.train_hash; }
  [[nodiscard]] std::uint64_t hash() const noexcept { return header_.hash; }

  // Throws as verify_id_cache().
  void verify() const;

  // Throws Error{kUsage} unless its ids are those that the tokenizer `wanted` makes, which is the `owner`'s: "model".
  void expect_tokenizer(const Tokenizer& wanted, std::string_view owner) const;

 private:
  IdCache(MappedFile file, const std::string& name);

  [[nodiscard]] std::size_t train_count() const noexcept { return static_cast<std::size_t>(info().train.ids); }

  std::string name_;
  IdCacheHeader header_;
  std::shared_ptr<const MappedIds> ids_;
};

}  // namespace unroll
