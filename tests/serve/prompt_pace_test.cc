#include "serve/prompt_pace.h"

#include <gtest/gtest.h>

#include <cmath>

namespace unroll {
namespace {

// A network whose steps take a fixed time and some more for each row.
double time_of(const PromptPiece& piece) {
  return static_cast<double>(piece.steps) * (1e-4 + 1e-5 * static_cast<double>(piece.rows));
}

// The piece after that many others, each measured.
PromptPiece learned(PromptPace& pace, std::int64_t prompts, double seconds, int pieces = 40) {
  for (int i = 0; i < pieces; ++i) {
    const PromptPiece piece = pace.choose(prompts, seconds);
    pace.note(piece, time_of(piece));
  }
  return pace.choose(prompts, seconds);
}

TEST(PromptPace, TakesAWholePieceWhereNobodyWaits) {
  const PromptPace pace(64);
  EXPECT_EQ(pace.choose(1, {}), (PromptPiece{1, 256}));
  EXPECT_EQ(pace.choose(3, {}), (PromptPiece{3, 85}));
  EXPECT_EQ(pace.choose(64, {}), (PromptPiece{64, 4}));
  EXPECT_EQ(pace.choose(1000, {}), (PromptPiece{64, 4}));
  EXPECT_EQ(PromptPace(4096).choose(1000, {}), (PromptPiece{256, 1}));
}

TEST(PromptPace, BeginsWithOneSymbol) { EXPECT_EQ(PromptPace(64).choose(9, 1.0), (PromptPiece{1, 1})); }

TEST(PromptPace, LearnsThePieceThatFitsTheTime) {
  PromptPace one(64);
  EXPECT_EQ(learned(one, 1, 11.5e-4), (PromptPiece{1, 10}));
  PromptPace many(64);
  const PromptPiece piece = learned(many, 64, 11.5e-4);
  EXPECT_LE(time_of(piece), 11.5e-4);
  EXPECT_EQ(piece.rows, 64);  // the more rows, the more symbols at a time
  EXPECT_EQ(piece.steps, 1);
}

TEST(PromptPace, TakesFewerRowsWhereAllTakeTooLong) {
  PromptPace pace(64);
  const PromptPiece piece = learned(pace, 64, 2e-4);
  EXPECT_LE(time_of(piece), 2e-4);
  EXPECT_EQ(piece, (PromptPiece{8, 1}));
}

TEST(PromptPace, MakesProgressWhereEvenOneSymbolTakesTooLong) {
  PromptPace pace(64);
  EXPECT_EQ(learned(pace, 5, 1e-6), (PromptPiece{1, 1}));
}

TEST(PromptPace, NeverExceedsTheLargestPiece) {
  PromptPace pace(64);
  const PromptPiece piece = learned(pace, 64, 1e6);
  EXPECT_LE(piece.rows * piece.steps, kPieceSymbols);
  PromptPace instant(64);
  instant.note({1, 1}, 0);
  const PromptPiece largest = instant.choose(64, 1.0);
  EXPECT_EQ(largest.rows * largest.steps, kPieceSymbols);
}

TEST(PromptPace, RecoversFromAMeasurementThatWasFarOff) {
  PromptPace pace(64);
  const PromptPiece before = learned(pace, 64, 11.5e-4);
  for (int i = 0; i < 10; ++i) pace.note(before, 10);
  EXPECT_EQ(learned(pace, 64, 11.5e-4), before);
  PromptPace first(64);
  first.note({1, 1}, 10);  // the first one of all
  EXPECT_EQ(learned(first, 64, 11.5e-4, 80), before);
}

}  // namespace
}  // namespace unroll
