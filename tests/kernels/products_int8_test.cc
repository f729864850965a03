// The tiles of int8 products alone: those that sum pairs and those of the processor's instruction, where PackedMatrix
// takes only one kind on one processor.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "kernels/processor.h"
#include "kernels/products_of_precision.h"
#include "unroll/version.h"

namespace unroll {
namespace {

constexpr std::int64_t kGroups = 37;
constexpr std::int64_t kBytes = 4 * kGroups;  // of a row of inputs or a column of weights

// Whether the vectors that are in use have an instruction for fours of bytes, even if a cap keeps it from use.
bool has_instruction() {
#if defined(__x86_64__)
  const bool is_wide = instruction_set().starts_with("AVX3");
  const bool is_avx = is_wide || instruction_set().starts_with("AVX2");
  return is_avx && (is_wide ? __builtin_cpu_supports("avx512vnni") : __builtin_cpu_supports("avxvnni")) != 0;
#else
  return false;
#endif
}

// The bytes of some rows of inputs and of a panel's weights, before they become lanes. Among them are the largest
// products of each sign, side by side.
struct Bytes {
  std::vector<std::int32_t> x, w;

  Bytes(std::int64_t rows, std::int64_t columns) {
    std::mt19937 generator(1);
    const auto fill = [&](std::vector<std::int32_t>& values, std::int64_t count, std::int32_t least) {
      constexpr std::int32_t kLargest = 127;
      std::uniform_int_distribution<std::int32_t> any(least, kLargest);
      for (std::int64_t i = 0; i < count; ++i) values.push_back(i % kBytes < 8 ? kLargest : any(generator));
    };
    fill(x, rows * kBytes, 1);
    fill(w, columns * kBytes, -127);
    for (std::int64_t column = 0; column < columns; column += 3) {
      std::fill_n(w.begin() + column * kBytes, 8, -127);
    }
  }

  [[nodiscard]] std::int32_t sum(std::int64_t row, std::int64_t column) const {
    std::int32_t result = 0;
    for (std::int64_t k = 0; k < kBytes; ++k) {
      result += x[static_cast<std::size_t>(row * kBytes + k)] * w[static_cast<std::size_t>(column * kBytes + k)];
    }
    return result;
  }
};

Lane lane_of(const std::int32_t* bytes) {
  Lane lane = 0;
  for (unsigned i = 0; i < 4; ++i) lane |= (static_cast<Lane>(bytes[i]) & 0xFFU) << (8 * i);
  return lane;
}

// Runs a tile over all groups; the result is that of scales of 1, no offset and no bias.
std::vector<float> run(TileFunction tile_function, const Bytes& bytes, std::int64_t rows, std::int64_t columns) {
  std::vector<Lane> a;
  for (std::int64_t i = 0; i < rows * kGroups; ++i) a.push_back(lane_of(bytes.x.data() + 4 * i));
  std::vector<Lane> b;
  for (std::int64_t g = 0; g < kGroups; ++g) {
    for (std::int64_t n = 0; n < columns; ++n) b.push_back(lane_of(bytes.w.data() + n * kBytes + 4 * g));
  }
  const std::vector<float> ones(static_cast<std::size_t>(std::max(rows, columns)), 1.0F);
  const std::vector<float> zeros(static_cast<std::size_t>(columns));
  const std::vector<std::int32_t> offsets(static_cast<std::size_t>(columns));
  std::vector<float> c(static_cast<std::size_t>(rows * columns));
  Tile tile;
  tile.a = a.data();
  tile.a_row = kGroups;
  tile.b = b.data();
  tile.groups = kGroups;
  tile.start = zeros.data();
  tile.c = c.data();
  tile.c_row = columns;
  tile.ahead = reinterpret_cast<const std::byte*>(b.data());
  tile.row_scale = ones.data();
  tile.column_scale = ones.data();
  tile.column_offset = offsets.data();
  tile_function(tile);
  return c;
}

void expect_exact_sums(const ProductKernels& kernels) {
  for (const auto& [tiles, columns] :
       {std::pair(kernels.narrow, kernels.vector), std::pair(kernels.wide, kernels.panel())}) {
    for (std::int64_t rows = 1; rows <= kernels.tile_rows(); ++rows) {
      const Bytes bytes(rows, columns);
      const std::vector<float> c = run(tiles[static_cast<std::size_t>(rows - 1)], bytes, rows, columns);
      for (std::int64_t i = 0; i < rows * columns; ++i) {
        ASSERT_EQ(c[static_cast<std::size_t>(i)], static_cast<float>(bytes.sum(i / columns, i % columns)))
            << rows << " rows, row " << i / columns << " column " << i % columns;
      }
    }
  }
}

TEST(Int8Tiles, SumPairsExactly) { expect_exact_sums(int8_product_kernels(false)); }

TEST(Int8Tiles, OfTheProcessorsInstructionSumExactly) {
  if (!has_instruction()) GTEST_SKIP() << "this processor has no such instruction";
  expect_exact_sums(int8_product_kernels(true));
}

}  // namespace
}  // namespace unroll
