#include "text/batcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

namespace unroll {
namespace {

constexpr std::int32_t kBoundary = 0;
constexpr Reading kCarried{.boundary = kBoundary, .state = StatePolicy::kCarry};
constexpr Reading kApart{.boundary = kBoundary, .state = StatePolicy::kReset};

// Every id is its place: ids[i] == i + 1, except where a line ends.
std::vector<std::int32_t> ids_with_line_ends(std::int64_t n, double line_end_share, std::mt19937& random) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(n));
  std::iota(ids.begin(), ids.end(), 1);
  for (std::int32_t& id : ids) {
    if (std::bernoulli_distribution(line_end_share)(random)) id = kBoundary;
  }
  return ids;
}

std::int64_t draw(std::mt19937& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

// The pieces cover 0 .. n-1 in order, without gap or overlap.
void expect_cover(const std::vector<Piece>& pieces, std::int64_t n) {
  std::int64_t next = 0;
  for (const Piece& piece : pieces) {
    EXPECT_EQ(piece.first, next);
    EXPECT_LE(piece.first, piece.last);
    next = piece.last;
  }
  EXPECT_EQ(next, n);
}

// Compares each entry of all windows of a batcher with its definition.
void expect_laws(const std::vector<std::int32_t>& ids, StatePolicy state, const std::vector<Piece>& pieces,
                 std::int64_t T) {
  const Batcher batcher(ids, {.boundary = kBoundary, .state = state}, pieces, T);
  const auto at = [](const auto& values, std::int64_t i) { return values[static_cast<std::size_t>(i)]; };
  std::vector<int> predicted(ids.size(), 0);
  std::vector<std::int64_t> steps(pieces.size(), 0);
  Window window;
  std::int64_t predictions = 0;
  for (std::int64_t w = 0; w < batcher.windows(); ++w) {
    batcher.window(w, window);
    ASSERT_EQ(window.B, batcher.rows());
    ASSERT_TRUE(window.T == T || (w + 1 == batcher.windows() && window.T >= 1 && window.T < T));
    predictions += window.predictions;
    for (std::int64_t entry = 0; entry < window.T * window.B; ++entry) {
      const Piece& piece = at(pieces, entry % window.B);
      std::int64_t& step = steps[static_cast<std::size_t>(entry % window.B)];
      const std::int64_t position = piece.first - piece.warm + step;
      const bool inside = position < piece.last;
      const std::int32_t before = inside && position > 0 ? at(ids, position - 1) : kBoundary;
      ASSERT_EQ(at(window.inputs, entry), before);
      const bool starts_line = state == StatePolicy::kReset && inside && before == kBoundary;
      ASSERT_EQ(!window.reset.empty() && at(window.reset, entry) != 0, step == 0 || starts_line);
      if (inside && step >= piece.warm) {
        ASSERT_EQ(at(window.targets, entry), at(ids, position));
        ++predicted[static_cast<std::size_t>(position)];
      } else {
        ASSERT_EQ(at(window.targets, entry), kIgnored);
      }
      ++step;
    }
  }
  EXPECT_EQ(predictions, std::ssize(ids));
  EXPECT_TRUE(std::all_of(predicted.begin(), predicted.end(), [](int times) { return times == 1; }));
}

TEST(EqualPieces, CoverAllPredictionsInSizesThatDifferByAtMostOne) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 200; ++trial) {
    const std::int64_t n = draw(random, 0, 300);
    const std::int64_t B = draw(random, 1, 40);
    const std::vector<Piece> pieces = equal_pieces(n, B);
    ASSERT_EQ(std::ssize(pieces), B);
    expect_cover(pieces, n);
    for (const Piece& piece : pieces) {
      EXPECT_EQ(piece.warm, 0);
      EXPECT_TRUE(piece.last - piece.first == n / B || piece.last - piece.first == n / B + 1);
    }
  }
}

TEST(LinePieces, CutOnlyAfterABoundaryAndCoverEverything) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 300; ++trial) {
    const std::int64_t B = draw(random, 1, 12);
    const auto ids = ids_with_line_ends(draw(random, 0, 200), trial % 3 == 0 ? 0.02 : 0.3, random);
    const std::vector<Piece> pieces = line_pieces(ids, kBoundary, B);
    expect_cover(pieces, std::ssize(ids));
    EXPECT_LE(std::ssize(pieces), B);
    for (const Piece& piece : pieces) {
      EXPECT_LT(piece.first, piece.last);
      EXPECT_EQ(piece.warm, 0);
      EXPECT_TRUE(piece.first == 0 || ids[static_cast<std::size_t>(piece.first - 1)] == kBoundary);
    }
  }
}

TEST(LinePieces, AreAboutEqualWhereLinesAreShort) {
  std::vector<std::int32_t> ids(1000, 1);
  for (std::size_t i = 4; i < ids.size(); i += 5) ids[i] = kBoundary;
  const std::vector<Piece> pieces = line_pieces(ids, kBoundary, 8);
  ASSERT_EQ(pieces.size(), 8U);
  for (const Piece& piece : pieces) EXPECT_NEAR(static_cast<double>(piece.last - piece.first), 125, 5);
}

TEST(LinePieces, NeverCutALineHoweverLong) {
  const std::vector<std::int32_t> ids(500, 7);
  EXPECT_EQ(line_pieces(ids, kBoundary, 4), (std::vector<Piece>{{0, 500, 0}}));
}

TEST(EvaluationPieces, OfCarriedTextAreWarmedOnUpTo256IdsBefore) {
  const std::vector<std::int32_t> ids(4096, 3);
  const std::vector<Piece> expected = {{0, 1024, 0}, {1024, 2048, 256}, {2048, 3072, 256}, {3072, 4096, 256}};
  EXPECT_EQ(evaluation_pieces(ids, kCarried, false), expected);
}

TEST(EvaluationPieces, DependOnTheNumberOfIdsAndAre64AtMost) {
  EXPECT_EQ(evaluation_pieces(std::vector<std::int32_t>(1), kCarried, false).size(), 1U);
  EXPECT_EQ(evaluation_pieces(std::vector<std::int32_t>(2047), kCarried, false).size(), 1U);
  EXPECT_EQ(evaluation_pieces(std::vector<std::int32_t>(2048), kCarried, false).size(), 2U);
  EXPECT_EQ(evaluation_pieces(std::vector<std::int32_t>(200000), kCarried, false).size(), 64U);
}

TEST(EvaluationPieces, AreOneWholePieceWhereExact) {
  const std::vector<std::int32_t> ids(5000, 3);
  const std::vector<Piece> whole = {{0, 5000, 0}};
  EXPECT_EQ(evaluation_pieces(ids, kCarried, true), whole);
}

TEST(EvaluationPieces, OfLinesThatStandAloneAreWholeLinesWithoutWarmUp) {
  std::mt19937 random(3);
  const auto ids = ids_with_line_ends(20000, 0.05, random);
  const std::vector<Piece> pieces = evaluation_pieces(ids, kApart, false);
  EXPECT_EQ(pieces, line_pieces(ids, kBoundary, 19));
  EXPECT_EQ(pieces.size(), 19U);
}

TEST(Batcher, PredictsEveryIdExactlyOnceOverAnEpochOfTraining) {
  std::mt19937 random(4);
  for (int trial = 0; trial < 300; ++trial) {
    const auto ids = ids_with_line_ends(draw(random, 1, 400), 0.1, random);
    const StatePolicy state = trial % 2 == 0 ? StatePolicy::kCarry : StatePolicy::kReset;
    expect_laws(ids, state, equal_pieces(std::ssize(ids), draw(random, 1, 20)), draw(random, 1, 30));
  }
}

TEST(Batcher, PredictsEveryIdExactlyOnceInEvaluation) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 40; ++trial) {
    const auto ids = ids_with_line_ends(draw(random, 1, 9000), 0.02, random);
    const StatePolicy state = trial % 2 == 0 ? StatePolicy::kCarry : StatePolicy::kReset;
    expect_laws(ids, state, evaluation_pieces(ids, {.boundary = kBoundary, .state = state}, trial % 5 == 0),
                draw(random, 1, 200));
  }
}

TEST(Batcher, PutsTheBoundaryBeforeTheFirstIdAndResetsThereOnly) {
  const std::vector<std::int32_t> ids = {5, 6, 7, 8, 9};
  const Batcher batcher(ids, kCarried, equal_pieces(5, 2), 2);
  ASSERT_EQ(batcher.windows(), 2);
  Window window;
  batcher.window(0, window);
  EXPECT_EQ(window.inputs, (std::vector<std::int32_t>{kBoundary, 7, 5, 8}));
  EXPECT_EQ(window.targets, (std::vector<std::int32_t>{5, 8, 6, 9}));
  EXPECT_EQ(window.reset, (std::vector<std::uint8_t>{1, 1, 0, 0}));
  EXPECT_EQ(window.predictions, 4);
  batcher.window(1, window);
  EXPECT_EQ(window.T, 1);
  EXPECT_EQ(window.inputs, (std::vector<std::int32_t>{6, kBoundary}));
  EXPECT_EQ(window.targets, (std::vector<std::int32_t>{7, kIgnored}));
  EXPECT_TRUE(window.reset.empty());
  EXPECT_EQ(window.predictions, 1);
}

TEST(Batcher, ReadsTheWarmUpWithoutCountingIt) {
  const std::vector<std::int32_t> ids = {5, 6, 7, 8, 9};
  const Batcher batcher(ids, kCarried, {{3, 5, 2}}, 10);
  Window window;
  batcher.window(0, window);
  EXPECT_EQ(window.inputs, (std::vector<std::int32_t>{5, 6, 7, 8}));
  EXPECT_EQ(window.targets, (std::vector<std::int32_t>{kIgnored, kIgnored, 8, 9}));
  EXPECT_EQ(window.reset, (std::vector<std::uint8_t>{1, 0, 0, 0}));
  EXPECT_EQ(window.predictions, 2);
}

TEST(Batcher, GivesTheSameWindowsInAnyOrder) {
  std::mt19937 random(6);
  const auto ids = ids_with_line_ends(257, 0.1, random);
  const Batcher batcher(ids, kApart, equal_pieces(257, 3), 10);
  Window used;
  for (std::int64_t index = batcher.windows() - 1; index >= 0; --index) {
    Window fresh;
    batcher.window(index, fresh);
    batcher.window(index, used);
    EXPECT_EQ(used.inputs, fresh.inputs);
    EXPECT_EQ(used.targets, fresh.targets);
    EXPECT_EQ(used.reset, fresh.reset);
    EXPECT_EQ(used.predictions, fresh.predictions);
  }
}

}  // namespace
}  // namespace unroll
