// The order in which gradients of replicas are added: a binary tree over their numbers, the same for any number of
// ranks.
//
//   sum(first, 1)     = the gradient of replica `first`
//   sum(first, 2 n)   = sum(first, n) + sum(first + n, n)        n a power of two, first a multiple of 2 n
//
// A rank has neighbouring replicas, and adds them up to the largest nodes that they make alone; whoever has nodes that
// cover all replicas finishes the tree.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "dist/shares.h"

namespace unroll {

// The sum over `count` replicas from `first` on.
struct SumNode {
  std::int64_t first = 0;
  std::int64_t count = 1;
  friend bool operator==(const SumNode&, const SumNode&) = default;
};

// Nodes from left to right, no two of which make a larger one.
template <class Value>
class SumTree {
 public:
  struct Entry {
    SumNode node;
    Value value;
  };

  // Adds the node to the right of those before. While the last two are the halves of a node, calls add(left, right),
  // which adds the right value to the left one, and keeps the left one for both.
  template <class Add>
  void push(SumNode node, Value value, const Add& add) {
    entries_.push_back({node, std::move(value)});
    while (entries_.size() > 1 && are_halves(entries_[entries_.size() - 2].node, entries_.back().node)) {
      add(entries_[entries_.size() - 2].value, entries_.back().value);
      entries_.pop_back();
      entries_.back().node.count *= 2;
    }
  }

  // How many times push() would call add(): the last so many nodes become one with this one.
  [[nodiscard]] std::size_t sums_with(SumNode node) const noexcept {
    std::size_t sums = 0;
    for (; sums < entries_.size(); ++sums) {
      const SumNode& left = entries_[entries_.size() - 1 - sums].node;
      if (!are_halves(left, node)) break;
      node = {left.first, 2 * left.count};
    }
    return sums;
  }

  [[nodiscard]] std::vector<Entry>& entries() noexcept { return entries_; }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }

 private:
  static bool are_halves(const SumNode& left, const SumNode& right) noexcept {
    return left.count == right.count && left.first % (2 * left.count) == 0 && right.first == left.first + left.count;
  }

  std::vector<Entry> entries_;
};

// The nodes that a range of replicas makes.
[[nodiscard]] inline std::vector<SumNode> nodes_of(ShareRange replicas) {
  SumTree<int> tree;
  for (std::int64_t r = replicas.first; r < replicas.last; ++r) tree.push({r, 1}, 0, [](int, int) {});
  std::vector<SumNode> nodes;
  for (const auto& entry : tree.entries()) nodes.push_back(entry.node);
  return nodes;
}

// The most values that exist at once while a range of replicas is added up.
[[nodiscard]] inline std::int64_t most_at_once(ShareRange replicas) {
  std::int64_t most = 0;
  SumTree<int> tree;
  for (std::int64_t r = replicas.first; r < replicas.last; ++r) {
    most = std::max<std::int64_t>(most, static_cast<std::int64_t>(tree.entries().size()) + 1);
    tree.push({r, 1}, 0, [](int, int) {});
  }
  return most;
}

}  // namespace unroll
