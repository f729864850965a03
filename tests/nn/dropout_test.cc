// Masks: the share they drop, their scale, and that they repeat.
#include "nn/dropout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/random_matrix.h"

namespace unroll {
namespace {

constexpr std::int64_t kRows = 200;
constexpr std::int64_t kUnits = 50;
constexpr DropoutMask kMask{.probability = 0.3, .key = {.seed = 1, .step = 7}, .index = 1};

std::vector<float> dropped(const DropoutMask& mask, const RandomMatrix& x) {
  Workers workers(2);
  RandomMatrix y(kRows, kUnits, 2);
  dropout_forward(workers, mask, x.view, y.view);
  return y.values;
}

TEST(Dropout, DropsItsShareAndKeepsTheRestScaled) {
  const RandomMatrix x(kRows, kUnits, 1);
  const std::vector<float> y = dropped(kMask, x);
  std::int64_t zeros = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (y[i] == 0) {
      ++zeros;
    } else {
      EXPECT_FLOAT_EQ(y[i], x.values[i] / 0.7F);
    }
  }
  EXPECT_NEAR(static_cast<double>(zeros), 3000, 4 * std::sqrt(10000 * 0.21));
}

TEST(Dropout, BackwardHasTheMaskOfForward) {
  Workers workers(3);
  const RandomMatrix x(kRows, kUnits, 1);
  RandomMatrix dx(kRows, kUnits, 3);
  dropout_backward(workers, kMask, x.view, dx.view);
  EXPECT_EQ(dx.values, dropped(kMask, x));
}

TEST(Dropout, EverySeedStepPurposeAndConnectionHasItsOwnMask) {
  const RandomMatrix x(kRows, kUnits, 1);
  const std::vector<float> y = dropped(kMask, x);
  DropoutMask other = kMask;
  other.key.seed = 2;
  EXPECT_NE(dropped(other, x), y);
  other = kMask;
  other.key.step = 8;
  EXPECT_NE(dropped(other, x), y);
  other = kMask;
  other.purpose = RandomPurpose::kWeightDrop;
  EXPECT_NE(dropped(other, x), y);
  other = kMask;
  other.index = 2;
  EXPECT_NE(dropped(other, x), y);
}

TEST(Dropout, LockedMasksRepeatEveryStep) {
  DropoutMask locked = kMask;
  locked.rows = {.B = 7, .all = 7, .locked = true};
  RandomMatrix ones(kRows, kUnits, 1);
  std::ranges::fill(ones.values, 1.0F);
  const std::vector<float> y = dropped(locked, ones);
  const std::vector<float> fresh = dropped(kMask, ones);
  std::int64_t differences = 0;
  for (std::size_t i = 7 * kUnits; i < y.size(); ++i) {
    EXPECT_EQ(y[i], y[i - 7 * kUnits]);
    differences += fresh[i] != fresh[i - 7 * kUnits] ? 1 : 0;
  }
  EXPECT_GT(differences, 1000);
  EXPECT_TRUE(std::equal(y.begin(), y.begin() + 7 * kUnits, fresh.begin()));
}

TEST(WordDropout, DropsAllOccurrencesOfASymbol) {
  Workers workers(2);
  RandomMatrix ones(kRows, kUnits, 1);
  std::ranges::fill(ones.values, 1.0F);
  RandomMatrix y(kRows, kUnits, 2);
  std::vector<std::int32_t> ids;
  for (std::int32_t r = 0; r < kRows; ++r) ids.push_back(r * 37 % 100);
  DropoutMask words = kMask;
  words.purpose = RandomPurpose::kWordDropout;
  word_dropout_forward(workers, words, ids, ones.view, y.view);
  std::int64_t zeros = 0;
  for (std::int64_t r = 0; r < kRows; ++r) {
    const float first = y.view(r, 0);
    EXPECT_TRUE(first == 0 || std::fabs(first - 1 / 0.7F) < 1e-6F);
    EXPECT_TRUE(std::all_of(y.view.row(r), y.view.row(r) + kUnits, [first](float value) { return value == first; }));
    const auto twin = std::find(ids.begin(), ids.end(), ids[static_cast<std::size_t>(r)]) - ids.begin();
    EXPECT_EQ(first, y.view(twin, 0));
    zeros += first == 0 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(zeros), 60, 2 * 4 * std::sqrt(100 * 0.21));
  RandomMatrix dx(kRows, kUnits, 3);
  word_dropout_backward(workers, words, ids, ones.view, dx.view);
  EXPECT_EQ(dx.values, y.values);
}

}  // namespace
}  // namespace unroll
