#include "label/packing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "base/philox.h"

namespace unroll {
namespace {

struct Packed {
  explicit Packed(const std::vector<std::int64_t>& lengths, std::int64_t most_rows)
      : size(pack_texts(lengths, most_rows, kPieceSteps, pieces, texts)) {}

  std::vector<WindowPiece> pieces;
  std::vector<WindowText> texts;
  PackedSize size;
};

std::vector<std::int64_t> random_lengths(std::uint32_t seed, std::uint32_t most) {
  std::vector<std::int64_t> lengths;
  for (std::uint32_t i = 0; i < 1 + seed % 40; ++i) {
    lengths.push_back(1 + random_words(seed, 0, RandomPurpose::kTestPoint, 5, i, 0)[0] % most);
  }
  return lengths;
}

TEST(Packing, EveryTextIsThereWholeAndNoStepHoldsTwo) {
  for (std::uint32_t seed = 1; seed < 60; ++seed) {
    const std::vector<std::int64_t> lengths = random_lengths(seed, seed % 3 == 0 ? 700 : 40);
    for (const std::int64_t rows : {1, 3, 32}) {
      const Packed packed(lengths, rows);
      std::set<std::pair<std::int64_t, std::int64_t>> taken;
      ASSERT_EQ(packed.texts.size(), lengths.size());
      std::int32_t next = 0;
      for (std::size_t i = 0; i < lengths.size(); ++i) {
        EXPECT_EQ(packed.texts[i].first, next);
        next += packed.texts[i].count;
        std::int64_t steps = 0;
        for (std::int32_t p = packed.texts[i].first; p < next; ++p) {
          const WindowPiece& piece = packed.pieces[static_cast<std::size_t>(p)];
          EXPECT_LE(piece.steps, kPieceSteps);
          EXPECT_LE(piece.first + piece.steps, packed.size.T);
          EXPECT_LT(piece.row, packed.size.B);
          for (std::int64_t t = piece.first; t < piece.first + piece.steps; ++t) {
            EXPECT_TRUE(taken.insert({piece.row, t}).second);
          }
          steps += piece.steps;
        }
        EXPECT_EQ(steps, lengths[i]);
      }
      EXPECT_LE(packed.size.B, rows);
    }
  }
}

TEST(Packing, PiecesOfATextDifferByOneStepAtMost) {
  const Packed packed({700}, 8);
  ASSERT_EQ(packed.pieces.size(), 3U);
  EXPECT_EQ(packed.pieces[0].steps, 234);
  EXPECT_EQ(packed.pieces[1].steps, 233);
  EXPECT_EQ(packed.pieces[2].steps, 233);
}

TEST(Packing, WindowsFitThePlannedSize) {
  for (std::uint32_t seed = 1; seed < 60; ++seed) {
    const std::vector<std::int64_t> lengths = random_lengths(seed, seed % 2 == 0 ? 900 : 12);
    const std::int64_t steps = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
    for (const std::int64_t rows : {1, 4, 32}) {
      const PackedSize planned = largest_packed(longest, steps, rows, kPieceSteps);
      const Packed packed(lengths, rows);
      EXPECT_LE(packed.size.T, planned.T);
      EXPECT_LE(packed.size.T * packed.size.B, planned.T * planned.B);
    }
  }
}

TEST(Packing, RowsAreMostlyFull) {
  const std::vector<std::int64_t> lengths = random_lengths(39, 50);
  const Packed packed(lengths, 8);
  const auto steps = static_cast<double>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}));
  EXPECT_GT(steps / static_cast<double>(packed.size.T * packed.size.B), 0.85);
}

}  // namespace
}  // namespace unroll
