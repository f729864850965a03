// What all ranks come to know together. Every rank makes these calls in the same order; with one rank they do nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "dist/shares.h"
#include "unroll/error.h"
#include "unroll/ranks.h"

namespace unroll {

// Starts to exchange the parts of `all`, of which `part(rank)` is a rank's own: after ranks.wait() everybody has all of
// them.
template <class T, class Part>
void start_gather(Ranks& ranks, std::span<T> all, const Part& part) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto bytes_of = [&](int rank) {
    const ShareRange range = part(rank);
    return std::as_writable_bytes(
        all.subspan(static_cast<std::size_t>(range.first), static_cast<std::size_t>(range.size())));
  };
  for (int other = 0; other < ranks.size(); ++other) {
    if (other == ranks.rank()) continue;
    if (const auto mine = bytes_of(ranks.rank()); !mine.empty()) ranks.send(other, mine);
    if (const auto theirs = bytes_of(other); !theirs.empty()) ranks.receive(other, theirs);
  }
}

// The same, until everybody has them.
template <class T, class Part>
void gather(Ranks& ranks, std::span<T> all, const Part& part) {
  if (ranks.size() == 1) return;
  start_gather(ranks, all, part);
  ranks.wait();
}

// Every rank's value, by rank.
template <class T>
[[nodiscard]] std::vector<T> values_of_ranks(Ranks& ranks, const T& mine) {
  std::vector<T> all(static_cast<std::size_t>(ranks.size()));
  all[static_cast<std::size_t>(ranks.rank())] = mine;
  gather(ranks, std::span(all), [](int rank) { return ShareRange{rank, rank + 1}; });
  return all;
}

// The value of rank 0.
template <class T>
[[nodiscard]] T value_of_first(Ranks& ranks, const T& mine) {
  return ranks.size() == 1 ? mine : values_of_ranks(ranks, mine).front();
}
[[nodiscard]] inline bool value_of_first(Ranks& ranks, bool mine) {
  return value_of_first(ranks, static_cast<std::uint8_t>(mine ? 1 : 0)) != 0;
}

// Every rank's text, by rank.
[[nodiscard]] std::vector<std::string> texts_of_ranks(Ranks& ranks, const std::string& mine);

// Whether it is true on any rank.
[[nodiscard]] bool any_of_ranks(Ranks& ranks, bool mine);

// Runs `task` on this rank, while the others run theirs. If it throws an Error on any of them, all throw that of the
// first such rank, which is named.
void together(Ranks& ranks, const std::function<void()>& task);

}  // namespace unroll
