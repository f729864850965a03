#include "infer/state_rows.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <numeric>
#include <vector>

#include "support/error_of.h"

namespace unroll {
namespace {

NetworkConfig config_of(Cell cell) { return {.cell = cell, .vocabulary = 5, .embed = 3, .hidden = 3, .layers = 2}; }

std::vector<float> row_of(const NetworkConfig& config, const NetworkState& state, std::int64_t b) {
  std::vector<float> row(static_cast<std::size_t>(row_size(config)));
  read_row(state, b, row);
  return row;
}

TEST(StateRows, JoinAndLeaveWithoutTouchingOthers) {
  for (const Cell cell : all_cells()) {
    const NetworkConfig config = config_of(cell);
    NetworkState state(config, 3);
    std::vector<std::vector<float>> rows;
    for (std::int64_t b = 0; b < 3; ++b) {
      std::vector<float>& row = rows.emplace_back(static_cast<std::size_t>(row_size(config)));
      std::iota(row.begin(), row.end(), static_cast<float>(100 * b + 1));
      write_row(row, state, b);
    }
    for (std::int64_t b = 0; b < 3; ++b) EXPECT_EQ(row_of(config, state, b), rows[static_cast<std::size_t>(b)]);
    const NetworkState narrow = first_rows(config, state, 2);
    EXPECT_EQ(narrow.B, 2);
    for (std::int64_t b = 0; b < 2; ++b) EXPECT_EQ(row_of(config, narrow, b), rows[static_cast<std::size_t>(b)]);
  }
}

TEST(StateRows, AStateIsARowOfItsOwn) {
  for (const Cell cell : all_cells()) {
    const NetworkConfig config = config_of(cell);
    State state = zero_state(config, 4);
    EXPECT_EQ(state.input, 4);
    EXPECT_EQ(std::ssize(state.h) + std::ssize(state.c), row_size(config));
    EXPECT_EQ(state.c.empty(), !has_cell_state(cell));
    NetworkState network(config, 1);
    std::vector<float> row(static_cast<std::size_t>(row_size(config)));
    std::iota(row.begin(), row.end(), 1.0F);
    write_row(row, network, 0);
    read_state(network, state);
    NetworkState again(config, 1);
    write_state(state, again);
    EXPECT_EQ(row_of(config, again, 0), row);
  }
}

TEST(StateRows, StatesOfOtherNetworksAreRefused) {
  const NetworkConfig config = config_of(Cell::kLstm);
  const State state = zero_state(config, 0);
  EXPECT_NO_THROW(check(config, state));
  State short_h = state;
  short_h.h.pop_back();
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "5 and 6 numbers", [&] { check(config, short_h); }));
  EXPECT_TRUE(fails_with(ErrorCode::kUsage, "6 and 0", [&] { check(config_of(Cell::kGru), state); }));
  State unknown = state;
  for (const std::int32_t input : {-1, 5}) {
    unknown.input = input;
    EXPECT_TRUE(fails_with(ErrorCode::kUsage, "expected 0 to 4", [&] { check(config, unknown); }));
  }
}

}  // namespace
}  // namespace unroll
