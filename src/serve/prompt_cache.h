// States after ids that were read before, so that they need not be read again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace unroll {

// Keeps as many states as fit into a number of bytes, those that were used last. Every state is found by all ids that
// led to it, which are compared one by one. Not for two threads at once.
class PromptCache {
 public:
  explicit PromptCache(std::int64_t most_bytes) : most_bytes_(most_bytes) {}

  struct Found {
    std::int64_t length = 0;     // ids that led to it
    std::span<const float> row;  // valid until the next keep()
  };

  // The state after the longest beginning of `ids` that is known, from that of `condition`; nothing if none is.
  [[nodiscard]] std::optional<Found> find(std::optional<std::int32_t> condition, std::span<const std::int32_t> ids);

  // Keeps the state after `ids`, unless it alone takes more than a quarter of the memory.
  void keep(std::optional<std::int32_t> condition, std::span<const std::int32_t> ids, std::span<const float> row);

  [[nodiscard]] std::int64_t states() const noexcept { return std::ssize(entries_); }
  [[nodiscard]] std::int64_t bytes() const noexcept { return bytes_; }

 private:
  struct Entry {
    std::optional<std::int32_t> condition;
    std::vector<std::int32_t> ids;
    std::vector<float> row;
    std::uint64_t hash = 0;
    [[nodiscard]] std::int64_t bytes() const noexcept;
  };
  using Place = std::list<Entry>::iterator;

  [[nodiscard]] std::optional<Place> place_of(std::uint64_t hash, std::optional<std::int32_t> condition,
                                              std::span<const std::int32_t> ids);
  void use(Place place) { entries_.splice(entries_.begin(), entries_, place); }
  void drop_last();

  std::int64_t most_bytes_;
  std::int64_t bytes_ = 0;
  std::list<Entry> entries_;  // the last used first
  std::unordered_multimap<std::uint64_t, Place> by_hash_;
  std::map<std::int64_t, std::int64_t> lengths_;  // how many entries have so many ids
};

}  // namespace unroll
