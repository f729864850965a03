#include "dist/sum_tree.h"

#include <gtest/gtest.h>

#include <string>

#include "dist/shares.h"

namespace unroll {
namespace {

// The sum over replicas as an expression.
std::string tree_of(ShareRange replicas) {
  SumTree<std::string> tree;
  for (std::int64_t r = replicas.first; r < replicas.last; ++r) {
    tree.push({r, 1}, std::to_string(r),
              [](std::string& left, std::string& right) { left = "(" + left + "+" + right + ")"; });
  }
  std::string nodes;
  for (const auto& entry : tree.entries()) nodes += (nodes.empty() ? "" : " ") + entry.value;
  return nodes;
}

TEST(SumTree, AddsInOneOrder) {
  EXPECT_EQ(tree_of({0, 1}), "0");
  EXPECT_EQ(tree_of({0, 8}), "(((0+1)+(2+3))+((4+5)+(6+7)))");
  EXPECT_EQ(tree_of({3, 6}), "3 (4+5)");
  EXPECT_EQ(tree_of({1, 7}), "1 (2+3) (4+5) 6");
}

TEST(SumTree, NodesOfAnyNumberOfRanksMakeTheWholeTree) {
  for (const std::int64_t R : {1, 2, 4, 8, 16, 64}) {
    const std::string whole = tree_of({0, R});
    for (std::int64_t P = 1; P <= R; ++P) {
      SumTree<std::string> tree;
      std::int64_t next = 0;
      for (std::int64_t rank = 0; rank < P; ++rank) {
        const ShareRange replicas = replicas_of_rank(R, P, rank);
        EXPECT_EQ(replicas.first, next);
        EXPECT_GE(replicas.size(), 1);
        next = replicas.last;
        for (const SumNode& node : nodes_of(replicas)) {
          tree.push(node, tree_of({node.first, node.first + node.count}),
                    [](std::string& left, std::string& right) { left = "(" + left + "+" + right + ")"; });
        }
      }
      EXPECT_EQ(next, R);
      ASSERT_EQ(tree.entries().size(), 1U) << R << " " << P;
      EXPECT_EQ(tree.entries().front().value, whole);
      EXPECT_EQ(tree.entries().front().node, (SumNode{0, R}));
    }
  }
}

TEST(SumTree, KeepsAsManyValuesAsItHasLevels) {
  EXPECT_EQ(most_at_once({0, 1}), 1);
  EXPECT_EQ(most_at_once({0, 2}), 2);
  EXPECT_EQ(most_at_once({0, 8}), 4);
  EXPECT_EQ(most_at_once({3, 6}), 3);
}

TEST(Shares, EveryRowHasTheReplicaOfTheFormula) {
  for (const std::int64_t R : {1, 2, 8, 16}) {
    for (const std::int64_t B : {1, 5, 16, 17, 64, 100}) {
      std::int64_t most = 0;
      for (std::int64_t r = 0; r < R; ++r) {
        const ShareRange rows = rows_of_replica(B, R, r);
        most = std::max(most, rows.size());
        for (std::int64_t b = 0; b < B; ++b) {
          EXPECT_EQ(b * R / B == r, b >= rows.first && b < rows.last) << R << " " << B << " " << b;
        }
      }
      EXPECT_EQ(most, most_rows_of_replica(B, R));
    }
  }
}

TEST(Shares, OwnersHaveWholeTilesOfEverything) {
  for (const std::int64_t floats : {0, 1, 15, 16, 17, 100, 1000}) {
    for (std::int64_t P = 1; P < 9; ++P) {
      std::int64_t next = 0;
      for (std::int64_t rank = 0; rank < P; ++rank) {
        const ShareRange owned = owned_by_rank(floats, 16, P, rank);
        EXPECT_EQ(owned.first, next);
        EXPECT_TRUE(owned.last % 16 == 0 || owned.last == floats);
        next = owned.last;
      }
      EXPECT_EQ(next, floats);
    }
  }
}

}  // namespace
}  // namespace unroll
