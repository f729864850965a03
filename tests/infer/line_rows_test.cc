#include "infer/line_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace unroll {
namespace {

std::vector<std::int64_t> random_lengths(std::size_t count, std::int64_t most, unsigned seed) {
  std::mt19937 dice(seed);
  std::vector<std::int64_t> lengths(count);
  for (std::int64_t& length : lengths) length = 1 + static_cast<std::int64_t>(dice()) % most;
  return lengths;
}

std::int64_t steps(const std::vector<std::int64_t>& row, const std::vector<std::int64_t>& lengths) {
  return std::accumulate(row.begin(), row.end(), std::int64_t{0}, [&](std::int64_t sum, std::int64_t line) {
    return sum + lengths[static_cast<std::size_t>(line)];
  });
}

TEST(LineRows, EveryLineIsDealtOnceAndRowsComeLongestFirst) {
  for (const std::size_t count : {0U, 1U, 7U, 63U, 64U, 65U, 500U}) {
    const std::vector<std::int64_t> lengths = random_lengths(count, 40, 1);
    const auto rows = deal_lines(lengths, 64);
    EXPECT_EQ(rows.size(), std::min<std::size_t>(count, 64));
    std::vector<std::int64_t> seen;
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    for (const std::vector<std::int64_t>& row : rows) {
      EXPECT_FALSE(row.empty());
      EXPECT_LE(steps(row, lengths), before);
      before = steps(row, lengths);
      seen.insert(seen.end(), row.begin(), row.end());
    }
    std::sort(seen.begin(), seen.end());
    std::vector<std::int64_t> all(count);
    std::iota(all.begin(), all.end(), std::int64_t{0});
    EXPECT_EQ(seen, all);
  }
}

TEST(LineRows, RowsDifferByLessThanTheLongestLineUnlessThatIsARow) {
  std::vector<std::int64_t> lengths = random_lengths(300, 50, 2);
  std::vector<std::vector<std::int64_t>> rows = deal_lines(lengths, 10);
  EXPECT_LT(steps(rows.front(), lengths) - steps(rows.back(), lengths), 50);
  lengths[17] = 100000;
  rows = deal_lines(lengths, 10);
  EXPECT_EQ(rows.front(), std::vector<std::int64_t>{17});
  EXPECT_LT(steps(rows[1], lengths) - steps(rows.back(), lengths), 50);
}

TEST(LineRows, WindowsHoldEachLineFromAResetOnAndRowsThatEndedLeave) {
  constexpr std::int32_t kBoundary = 0;
  constexpr std::int64_t kSteps = 7;
  const std::vector<std::int64_t> lengths = random_lengths(40, 30, 3);
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> starts{0};
  for (const std::int64_t length : lengths) {
    for (std::int64_t i = 1; i < length; ++i) ids.push_back(static_cast<std::int32_t>(std::ssize(ids)) + 1);
    ids.push_back(kBoundary);
    starts.push_back(std::ssize(ids));
  }
  const auto rows = deal_lines(lengths, 6);
  std::vector<std::vector<std::int32_t>> got(rows.size());
  LineRows windows(ids, starts, rows, {.boundary = kBoundary, .state = StatePolicy::kReset}, kSteps);
  Window window;
  std::int64_t width = std::ssize(rows);
  while (windows.next(window)) {
    ASSERT_LE(window.T, kSteps);
    ASSERT_LE(window.B, width);
    width = window.B;
    std::int64_t predictions = 0;
    for (std::int64_t row = 0; row < window.B; ++row) {
      std::int64_t in_row = 0;
      for (std::int64_t t = 0; t < window.T; ++t) {
        const auto entry = static_cast<std::size_t>(t * window.B + row);
        if (window.targets[entry] == kIgnored) continue;
        std::vector<std::int32_t>& all = got[static_cast<std::size_t>(row)];
        const bool starts_line = all.empty() || all.back() == kBoundary;
        EXPECT_EQ(window.inputs[entry], all.empty() ? kBoundary : all.back());
        EXPECT_EQ(!window.reset.empty() && window.reset[entry] == 1, starts_line);
        all.push_back(window.targets[entry]);
        ++in_row;
      }
      EXPECT_GT(in_row, 0) << "a row that has ended is still there";
      predictions += in_row;
    }
    EXPECT_EQ(window.predictions, predictions);
  }
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::vector<std::int32_t> expected;
    for (const std::int64_t line : rows[row]) {
      const auto i = static_cast<std::size_t>(line);
      expected.insert(expected.end(), ids.begin() + starts[i], ids.begin() + starts[i + 1]);
    }
    EXPECT_EQ(got[row], expected);
  }
}

}  // namespace
}  // namespace unroll
