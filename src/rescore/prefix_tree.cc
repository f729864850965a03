#include "rescore/prefix_tree.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace unroll {

PrefixTree::PrefixTree(std::span<const std::int32_t> ids, std::span<const std::int64_t> starts, std::int32_t root)
    : nodes_{{.id = root}}, ends_(starts.size() - 1) {
  const auto sequence = [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    return ids.subspan(static_cast<std::size_t>(starts[at]), static_cast<std::size_t>(starts[at + 1] - starts[at]));
  };
  // Sorted, a sequence shares with the one before it all that it shares with any before it.
  std::vector<std::int64_t> order(ends_.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::sort(order, [&](std::int64_t a, std::int64_t b) {
    const auto x = sequence(a);
    const auto y = sequence(b);
    const bool less = std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
    return less || (a < b && std::equal(x.begin(), x.end(), y.begin(), y.end()));
  });

  std::vector<std::int32_t> path{0};  // nodes of the sequence before, from the root
  std::span<const std::int32_t> before;
  for (const std::int64_t i : order) {
    const std::span<const std::int32_t> next = sequence(i);
    const auto shared = std::mismatch(before.begin(), before.end(), next.begin(), next.end()).second - next.begin();
    path.resize(static_cast<std::size_t>(shared) + 1);
    for (const std::int32_t id : next.subspan(static_cast<std::size_t>(shared))) {
      Node& parent = nodes_[static_cast<std::size_t>(path.back())];
      const Node child{.id = id,
                       .parent = path.back(),
                       .next_sibling = parent.first_child,
                       .sequence = static_cast<std::int32_t>(i)};
      parent.first_child = size();
      path.push_back(size());
      nodes_.push_back(child);
    }
    ends_[static_cast<std::size_t>(i)] = path.back();
    before = next;
  }
  for (std::size_t node = nodes_.size() - 1; node > 0; --node) {
    std::int32_t& height = nodes_[static_cast<std::size_t>(nodes_[node].parent)].height;
    height = std::max(height, nodes_[node].height + 1);
  }
}

}  // namespace unroll
