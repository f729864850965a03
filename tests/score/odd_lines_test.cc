#include "unroll/score/odd_lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/philox.h"
#include "support/error_of.h"
#include "unroll/error.h"

namespace unroll {
namespace {

double uniform(std::uint64_t seed, std::uint32_t place) {
  return uniform_float(random_words(seed, 0, RandomPurpose::kTestPoint, 0, place, 0)[0]);
}

// Lines of 1 to 40 tokens whose surprisal is about 3 nats a token, and varies more the longer they are.
std::vector<LineProbability> lines(std::int64_t count, std::uint64_t seed, double nats = 3) {
  std::vector<LineProbability> result;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto tokens = 1 + static_cast<std::int64_t>(40 * uniform(seed, 3 * i));
    const double spread = uniform(seed, 3 * i + 1) + uniform(seed, 3 * i + 2) - 1;
    const auto n = static_cast<double>(tokens);
    result.push_back({.log_prob = -nats * n - spread * 4 * std::sqrt(n), .tokens = tokens});
  }
  return result;
}

double rate(const OddLines& odd, const std::vector<LineProbability>& of, double alarm) {
  const auto rings = std::ranges::count_if(of, [&](const LineProbability& line) { return odd.share(line) <= alarm; });
  return static_cast<double>(rings) / static_cast<double>(of.size());
}

TEST(OddLines, AlarmsRingFalselyAsOftenAsStated) {
  for (const double alarm : {0.01, 0.05, 0.2}) {
    double sum = 0;
    constexpr int kReferences = 20;
    for (std::uint64_t seed = 0; seed < kReferences; ++seed) {
      sum += rate(OddLines(lines(4000, seed)), lines(4000, 1000 + seed), alarm) / kReferences;
    }
    EXPECT_NEAR(sum, alarm, alarm * 0.15) << alarm;
  }
}

TEST(OddLines, TheRateHoldsForShortAndForLongLines) {
  const OddLines odd(lines(20000, 1));
  std::vector<LineProbability> of_short;
  std::vector<LineProbability> of_long;
  for (const LineProbability& line : lines(20000, 2)) (line.tokens <= 10 ? of_short : of_long).push_back(line);
  EXPECT_NEAR(rate(odd, of_short, 0.05), 0.05, 0.02);
  EXPECT_NEAR(rate(odd, of_long, 0.05), 0.05, 0.02);
}

TEST(OddLines, LinesFromElsewhereRing) {
  const OddLines odd(lines(4000, 1));
  EXPECT_GT(rate(odd, lines(1000, 2, 6), 0.01), 0.8);
  EXPECT_EQ(rate(odd, lines(1000, 2, 1), 0.01), 0);  // those that are more probable than usual do not
}

TEST(OddLines, AShareCountsLinesAsOddOrOdder) {
  // One length, surprisals 1 to 40: the odd places are fitted, the even ones, 20 of them, calibrate.
  std::vector<LineProbability> reference;
  for (int i = 1; i <= 40; ++i) reference.push_back({.log_prob = -1.0 * i, .tokens = 5});
  const OddLines odd(reference);
  ASSERT_EQ(odd.lines(), 20);
  EXPECT_DOUBLE_EQ(odd.share({.log_prob = -41, .tokens = 5}), 1.0 / 21);
  EXPECT_DOUBLE_EQ(odd.share({.log_prob = -40, .tokens = 5}), 2.0 / 21);
  EXPECT_DOUBLE_EQ(odd.share({.log_prob = -39, .tokens = 5}), 2.0 / 21);
  EXPECT_DOUBLE_EQ(odd.share({.log_prob = -1, .tokens = 5}), 1);
  EXPECT_LT(odd.share({.log_prob = -60, .tokens = 5}), odd.share({.log_prob = -60, .tokens = 50}));
}

TEST(OddLines, WhatIsNoReferenceIsRefused) {
  EXPECT_TRUE(
      fails_with(ErrorCode::kInput, "19 reference lines: expected at least 20", [] { OddLines odd(lines(19, 1)); }));
  std::vector<LineProbability> with_empty = lines(30, 1);
  with_empty[4].tokens = 0;
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "reference line 5", [&] { OddLines odd(with_empty); }));
  with_empty[4] = {.log_prob = -HUGE_VAL, .tokens = 3};
  EXPECT_TRUE(fails_with(ErrorCode::kInput, "reference line 5", [&] { OddLines odd(with_empty); }));
  // Lines that are all the same are no error.
  const std::vector<LineProbability> same(30, LineProbability{.log_prob = -3, .tokens = 3});
  EXPECT_EQ(OddLines(same).share({.log_prob = -3, .tokens = 3}), 1);
  EXPECT_LT(OddLines(same).share({.log_prob = -4, .tokens = 3}), 0.1);
}

}  // namespace
}  // namespace unroll
