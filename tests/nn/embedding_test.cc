// The gradient of an embedding, as rows and as a table, compared with a plain loop.
#include "nn/embedding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "base/philox.h"
#include "support/random_matrix.h"

namespace unroll {
namespace {

std::vector<std::int32_t> random_ids(std::int64_t count, std::int64_t V, std::uint64_t seed) {
  std::vector<std::int32_t> ids;
  for (std::int64_t r = 0; r < count; ++r) {
    const auto words = random_words(seed, 0, RandomPurpose::kTestPoint, 1, 0, static_cast<std::uint32_t>(r));
    ids.push_back(static_cast<std::int32_t>(words[0] % static_cast<std::uint32_t>(V)));
  }
  return ids;
}

// In token order, beginning with zero.
std::vector<float> plain_sum(const std::vector<std::int32_t>& ids, MatView<const float> dx, std::int64_t id) {
  std::vector<float> sum(static_cast<std::size_t>(dx.cols));
  for (std::int64_t r = 0; r < dx.rows; ++r) {
    if (ids[static_cast<std::size_t>(r)] != id) continue;
    for (std::int64_t e = 0; e < dx.cols; ++e) sum[static_cast<std::size_t>(e)] += dx(r, e);
  }
  return sum;
}

bool equal_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

// Whether `gradient` holds the sums over these tokens and nothing else.
testing::AssertionResult holds(const EmbeddingGradient& gradient, std::int64_t V, const std::vector<std::int32_t>& ids,
                               MatView<const float> dx) {
  std::vector<std::int32_t> in_order;
  for (const std::int32_t id : ids) {
    if (std::ranges::find(in_order, id) == in_order.end()) in_order.push_back(id);
  }
  if (!std::ranges::equal(gradient.ids(), in_order)) return testing::AssertionFailure() << "ids differ";
  const MatView<float> rows = gradient.rows();
  if (rows.rows != static_cast<std::int64_t>(in_order.size()) || rows.cols != dx.cols) {
    return testing::AssertionFailure() << "rows are " << rows.rows << " x " << rows.cols;
  }
  for (std::int64_t slot = 0; slot < rows.rows; ++slot) {
    const std::int32_t id = in_order[static_cast<std::size_t>(slot)];
    const std::span<const float> row(rows.row(slot), static_cast<std::size_t>(rows.cols));
    if (!equal_bits(row, plain_sum(ids, dx, id))) return testing::AssertionFailure() << "the row of " << id;
    if (gradient.row(id).data() != row.data()) return testing::AssertionFailure() << "row(" << id << ")";
  }
  for (std::int32_t id = 0; id < V; ++id) {
    const bool read = std::ranges::find(in_order, id) != in_order.end();
    if (gradient.row(id).empty() == read) return testing::AssertionFailure() << "row(" << id << ")";
  }
  return testing::AssertionSuccess();
}

struct Sizes {
  std::int64_t V, E, R;
};
// A vocabulary below and above the tokens, one symbol, one token, one column, one past a vector.
constexpr Sizes kSizes[] = {{1, 5, 9}, {7, 17, 60}, {300, 13, 41}, {41, 1, 41}, {1000, 33, 1}};

TEST(Embedding, GradientRowsAreSumsInTokenOrderForAnyNumberOfWorkers) {
  for (const auto& [V, E, R] : kSizes) {
    const std::vector<std::int32_t> ids = random_ids(R, V, 3);
    const RandomMatrix dx(R, E, 4);
    for (const int threads : {1, 2, 3, 5}) {
      Workers workers(threads);
      EmbeddingGradient gradient(V, E, R);
      embedding_backward(workers, gradient, ids, dx.view);
      EXPECT_TRUE(holds(gradient, V, ids, dx.view)) << V << ", " << E << ", " << R << ", " << threads << " workers";
    }
  }
}

TEST(Embedding, IdsThatComeOnceInFallingOrderFillTheRoom) {
  Workers workers(2);
  const std::vector<std::int32_t> ids{8, 6, 4, 2, 0};
  const RandomMatrix dx(5, 3, 4);
  EmbeddingGradient gradient(9, 3, 5);
  embedding_backward(workers, gradient, ids, dx.view);
  EXPECT_TRUE(holds(gradient, 9, ids, dx.view));
}

TEST(Embedding, ASecondCallAddsToTheFirst) {
  for (const int threads : {1, 3}) {
    Workers workers(threads);
    const std::vector<std::int32_t> ids = random_ids(30, 50, 3);
    const RandomMatrix dx(30, 9, 4);
    EmbeddingGradient gradient(50, 9, 30);
    const std::span<const std::int32_t> all = ids;
    embedding_backward(workers, gradient, all.first(11), dx.view.row_range(0, 11));
    embedding_backward(workers, gradient, all.subspan(11), dx.view.row_range(11, 19));
    EXPECT_TRUE(holds(gradient, 50, ids, dx.view)) << threads;
  }
}

TEST(Embedding, AWindowDoesNotAffectTheNext) {
  for (const int threads : {1, 2, 3}) {
    Workers workers(threads);
    EmbeddingGradient gradient(60, 7, 40);
    const RandomMatrix broken(40, 7, 4);
    std::ranges::fill(broken.view.flat(), std::numeric_limits<float>::quiet_NaN());
    embedding_backward(workers, gradient, random_ids(40, 60, 3), broken.view);
    gradient.set_zero();
    EXPECT_TRUE(holds(gradient, 60, {}, MatView<const float>(nullptr, 0, 7)));
    for (const std::int64_t R : {13, 40}) {
      const std::vector<std::int32_t> ids = random_ids(R, 60, 5);
      const RandomMatrix dx(R, 7, 6);
      embedding_backward(workers, gradient, ids, dx.view);
      EXPECT_TRUE(holds(gradient, 60, ids, dx.view)) << R << " tokens, " << threads << " workers";
      gradient.set_zero();
    }
  }
}

TEST(Embedding, TableGradientHasTheBitsOfTheRows) {
  for (const auto& [V, E, R] : kSizes) {
    const std::vector<std::int32_t> ids = random_ids(R, V, 3);
    const RandomMatrix dx(R, E, 4);
    for (const int threads : {1, 3}) {
      Workers workers(threads);
      std::vector<float> table(static_cast<std::size_t>(V * E));
      const MatView<float> view(table.data(), V, E);
      embedding_backward(workers, view, ids, dx.view);
      for (std::int64_t id = 0; id < V; ++id) {
        const std::span<const float> row(view.row(id), static_cast<std::size_t>(E));
        EXPECT_TRUE(equal_bits(row, plain_sum(ids, dx.view, id))) << V << ", row " << id;
      }
    }
  }
}

TEST(Embedding, RoomIsForTheSmallerOfTokensAndVocabulary) {
  EXPECT_EQ(EmbeddingGradient::bytes(1000, 20, 30), 4 * (30 * 20 + 30 + 1000));
  EXPECT_EQ(EmbeddingGradient::bytes(50, 20, 30000), 4 * (50 * 20 + 50 + 50));
}

}  // namespace
}  // namespace unroll
