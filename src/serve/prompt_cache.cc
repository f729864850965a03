#include "serve/prompt_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "unroll/fnv1a.h"

namespace unroll {
namespace {

// The hash of a label and then of ids, each of which is added by fnv1a(). Equal hashes are no more than a hint.
std::uint64_t first_hash(std::optional<std::int32_t> condition) noexcept {
  return fnv1a(kFnv1aStart, condition ? static_cast<std::uint64_t>(*condition) + 1 : 0);
}

std::uint64_t hash_of(std::optional<std::int32_t> condition, std::span<const std::int32_t> ids) noexcept {
  std::uint64_t hash = first_hash(condition);
  for (const std::int32_t id : ids) hash = fnv1a(hash, static_cast<std::uint64_t>(id));
  return hash;
}

}  // namespace

std::int64_t PromptCache::Entry::bytes() const noexcept {
  constexpr std::size_t kOfMaps = 160;  // nodes of the list and of both maps, about
  return static_cast<std::int64_t>(sizeof(Entry) + kOfMaps + sizeof(std::int32_t) * ids.size() +
                                   sizeof(float) * row.size());
}

std::optional<PromptCache::Found> PromptCache::find(std::optional<std::int32_t> condition,
                                                    std::span<const std::int32_t> ids) {
  std::vector<std::pair<std::size_t, std::uint64_t>> prefixes;  // those whose length some entry has
  std::uint64_t hash = first_hash(condition);
  std::size_t hashed = 0;
  for (const auto& [length, count] : lengths_) {
    const auto size = static_cast<std::size_t>(length);
    if (size > ids.size()) break;
    while (hashed < size) hash = fnv1a(hash, static_cast<std::uint64_t>(ids[hashed++]));
    prefixes.emplace_back(size, hash);
  }
  for (auto prefix = prefixes.rbegin(); prefix != prefixes.rend(); ++prefix) {
    const std::optional<Place> place = place_of(prefix->second, condition, ids.first(prefix->first));
    if (!place) continue;
    use(*place);
    return Found{.length = static_cast<std::int64_t>(prefix->first), .row = (*place)->row};
  }
  return std::nullopt;
}

void PromptCache::keep(std::optional<std::int32_t> condition, std::span<const std::int32_t> ids,
                       std::span<const float> row) {
  const std::uint64_t hash = hash_of(condition, ids);
  if (const std::optional<Place> known = place_of(hash, condition, ids)) return use(*known);
  Entry entry{.condition = condition, .ids = {ids.begin(), ids.end()}, .row = {row.begin(), row.end()}, .hash = hash};
  if (entry.bytes() > most_bytes_ / 4) return;
  bytes_ += entry.bytes();
  ++lengths_[std::ssize(entry.ids)];
  entries_.push_front(std::move(entry));
  by_hash_.emplace(entries_.front().hash, entries_.begin());
  while (bytes_ > most_bytes_) drop_last();
}

std::optional<PromptCache::Place> PromptCache::place_of(std::uint64_t hash, std::optional<std::int32_t> condition,
                                                        std::span<const std::int32_t> ids) {
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto at = first; at != last; ++at) {
    const Entry& entry = *at->second;
    if (entry.condition == condition && std::ranges::equal(entry.ids, ids)) return at->second;
  }
  return std::nullopt;
}

void PromptCache::drop_last() {
  const Place last = std::prev(entries_.end());
  bytes_ -= last->bytes();
  const auto [first, end] = by_hash_.equal_range(last->hash);
  by_hash_.erase(std::find_if(first, end, [&](const auto& known) { return known.second == last; }));
  const auto length = lengths_.find(std::ssize(last->ids));
  if (--length->second == 0) lengths_.erase(length);
  entries_.erase(last);
}

}  // namespace unroll
