// A tree of the prefixes of id sequences: each common prefix is one node.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace unroll {

// A node is a prefix; the root is the empty one. Each node comes after its parent in the order of numbers.
class PrefixTree {
 public:
  static constexpr std::int32_t kNone = -1;

  struct Node {
    std::int32_t id = 0;  // the last of the prefix; the root's is read first
    std::int32_t parent = kNone;
    std::int32_t first_child = kNone;
    std::int32_t next_sibling = kNone;
    std::int32_t height = 0;    // ids from here to the end of the longest sequence through it
    std::int32_t sequence = 0;  // one that it is a prefix of
  };

  // Sequence i is ids[starts[i] .. starts[i + 1]); `root` is what is read before any of them. Requires fewer than 2^31
  // ids.
  PrefixTree(std::span<const std::int32_t> ids, std::span<const std::int64_t> starts, std::int32_t root);

  [[nodiscard]] std::int32_t size() const noexcept { return static_cast<std::int32_t>(nodes_.size()); }
  [[nodiscard]] const Node& operator[](std::int32_t node) const { return nodes_[static_cast<std::size_t>(node)]; }

  // The node that is the whole of a sequence.
  [[nodiscard]] std::int32_t end_of(std::int64_t sequence) const { return ends_[static_cast<std::size_t>(sequence)]; }

 private:
  std::vector<Node> nodes_;
  std::vector<std::int32_t> ends_;
};

}  // namespace unroll
