#include "dist/traffic.h"

#include "dist/shares.h"
#include "dist/sum_tree.h"
#include "network/gradients.h"

namespace unroll {

std::int64_t sent_bytes(std::int64_t floats, std::int64_t R, std::int64_t P, std::int64_t rank) {
  constexpr std::int64_t kFloat = 4;
  constexpr std::int64_t kSum = 8;
  constexpr std::int64_t kReplica = 48;
  const ShareRange replicas = replicas_of_rank(R, P, rank);
  const auto nodes = static_cast<std::int64_t>(nodes_of(replicas).size());
  const std::int64_t owned = owned_by_rank(floats, kGradientTile, P, rank).size();
  const std::int64_t tiles = (owned + kGradientTile - 1) / kGradientTile;
  const std::int64_t to_each = kFloat * owned + kSum * tiles + kReplica * replicas.size();
  return kFloat * nodes * (floats - owned) + (P - 1) * to_each;
}

}  // namespace unroll
