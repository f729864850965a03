// Who has what: rows of a window in replicas, replicas on ranks, gradients and their owners.
//
// A run has R replicas, R a power of two. Each computes the gradient of its rows, and gradients are added in one binary
// tree over the replicas' numbers (dist/sum_tree.h). So R is part of what a run computes; the number of ranks P <= R,
// between which the replicas are dealt, is not.
#pragma once

#include <cstdint>

namespace unroll {

// first .. last - 1.
struct ShareRange {
  std::int64_t first = 0;
  std::int64_t last = 0;

  [[nodiscard]] std::int64_t size() const noexcept { return last - first; }
  friend bool operator==(const ShareRange&, const ShareRange&) = default;
};

// The part of 0 .. size - 1 that share number `share` of `shares` has: i belongs to share floor(i shares / size).
[[nodiscard]] inline ShareRange share_of(std::int64_t size, std::int64_t shares, std::int64_t share) noexcept {
  const auto begin = [&](std::int64_t s) { return (s * size + shares - 1) / shares; };
  return {begin(share), begin(share + 1)};
}

// The rows of a window of B rows that belong to a replica of R: row b to replica floor(b R / B).
[[nodiscard]] inline ShareRange rows_of_replica(std::int64_t B, std::int64_t R, std::int64_t replica) noexcept {
  return share_of(B, R, replica);
}

// The replicas of a rank of P: replica r belongs to rank floor(r P / R).
[[nodiscard]] inline ShareRange replicas_of_rank(std::int64_t R, std::int64_t P, std::int64_t rank) noexcept {
  return share_of(R, P, rank);
}

// The most rows that a replica has of B.
[[nodiscard]] inline std::int64_t most_rows_of_replica(std::int64_t B, std::int64_t R) noexcept {
  return (B + R - 1) / R;
}

// The part of a block of floats that a rank of P owns: whole tiles of `tile` floats, of which the last may be shorter.
[[nodiscard]] inline ShareRange owned_by_rank(std::int64_t floats, std::int64_t tile, std::int64_t P,
                                              std::int64_t rank) noexcept {
  const std::int64_t tiles = (floats + tile - 1) / tile;
  const ShareRange share = share_of(tiles, P, rank);
  const auto end = [&](std::int64_t t) { return t * tile < floats ? t * tile : floats; };
  return {end(share.first), end(share.last)};
}

}  // namespace unroll
