#include "text/window.h"

#include <gtest/gtest.h>

namespace unroll {
namespace {

using Ids = std::vector<std::int32_t>;

TEST(Window, IsMadeRowByRowInTheOrderOfTime) {
  Window window;
  std::vector<std::int64_t> left{3, 1};  // steps of rows that move on with each call
  make_window(3, 2, window, [&](std::int64_t b, std::int64_t t) {
    const auto row = static_cast<std::size_t>(b);
    EXPECT_EQ(t, row == 0 ? 3 - left[row] : std::int64_t{t});
    if (left[row] == 0) return WindowStep{.input = 9};
    const auto id = static_cast<std::int32_t>(10 * b + left[row]--);
    return WindowStep{.input = id, .target = id + 100, .reset = b == 1};
  });
  EXPECT_EQ(window.T, 3);
  EXPECT_EQ(window.B, 2);
  EXPECT_EQ(window.inputs, (Ids{3, 11, 2, 9, 1, 9}));
  EXPECT_EQ(window.targets, (Ids{103, 111, 102, kIgnored, 101, kIgnored}));
  EXPECT_EQ(window.reset, (std::vector<std::uint8_t>{0, 1, 0, 0, 0, 0}));
  EXPECT_EQ(window.predictions, 4);
}

TEST(Window, HasNoResetBitsWhereNoneIsSetWhateverItHeldBefore) {
  Window window;
  make_window(4, 3, window, [](std::int64_t, std::int64_t) { return WindowStep{.target = 1, .reset = true}; });
  EXPECT_EQ(window.reset.size(), 12U);
  make_window(1, 2, window, [](std::int64_t, std::int64_t) { return WindowStep{.input = 5}; });
  EXPECT_TRUE(window.reset.empty());
  EXPECT_EQ(window.inputs, (Ids{5, 5}));
  EXPECT_EQ(window.targets, (Ids{kIgnored, kIgnored}));
  EXPECT_EQ(window.predictions, 0);
}

}  // namespace
}  // namespace unroll
